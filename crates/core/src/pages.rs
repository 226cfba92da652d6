use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use crate::{Backend, ListOptions, ListPage, ObjectInfo, Prefix, Result};

type PageTask<'a> = Pin<Box<dyn Future<Output = Result<ListPage>> + Send + 'a>>;

/// Follows the cursors of a listing.
pub(crate) struct Pages<'a, B: ?Sized> {
    backend: &'a B,
    prefix: Prefix,
    options: ListOptions,
    page: std::vec::IntoIter<ObjectInfo>,
    next: Option<PageTask<'a>>,
}

impl<'a, B: Backend + ?Sized> Pages<'a, B> {
    pub(crate) fn new(backend: &'a B, prefix: Prefix, options: ListOptions) -> Self {
        let mut pages = Self {
            backend,
            prefix,
            options,
            page: Vec::new().into_iter(),
            next: None,
        };
        pages.next = Some(pages.request(pages.options.clone()));
        pages
    }

    fn request(&self, options: ListOptions) -> PageTask<'a> {
        let (backend, prefix) = (self.backend, self.prefix.clone());
        Box::pin(async move { backend.list(&prefix, options).await })
    }
}

impl<B: Backend + ?Sized> Stream for Pages<'_, B> {
    type Item = Result<ObjectInfo>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(entry) = self.page.next() {
                return Poll::Ready(Some(Ok(entry)));
            }
            let Some(next) = &mut self.next else {
                return Poll::Ready(None);
            };
            let page = ready!(next.as_mut().poll(cx));
            self.next = None;
            match page {
                Err(error) => return Poll::Ready(Some(Err(error))),
                Ok(page) => {
                    self.page = page.entries.into_iter();
                    if let Some(cursor) = page.next {
                        let options = self.options.clone().cursor(cursor);
                        self.next = Some(self.request(options));
                    }
                }
            }
        }
    }
}

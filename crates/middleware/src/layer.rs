use storage_core::Backend;

/// Puts something over a backend: implemented by every layer of this crate.
pub trait Layer<B: Backend> {
    /// The backend with the layer over it.
    type Layered: Backend;

    /// Puts the layer over `inner`.
    fn over(self, inner: B) -> Self::Layered;
}

/// [`layer`](Self::layer) for every backend.
pub trait LayerExt: Backend + Sized {
    /// Puts `layer` over this backend. Of several, the last one is outermost: it is the first that a
    /// call meets.
    fn layer<L: Layer<Self>>(self, layer: L) -> L::Layered {
        layer.over(self)
    }
}

impl<B: Backend> LayerExt for B {}

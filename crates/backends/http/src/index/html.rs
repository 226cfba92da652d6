use url::Url;

use super::Child;
use crate::address::child;

/// What titles of index pages begin with: nginx, Apache, lighttpd and Tomcat; Python.
const TITLES: [&str; 4] = [
    "index of ",
    "directory listing for ",
    "directory listing of ",
    "directory: ",
];

/// The entries of an index page at `url`; `None` when the page does not call itself one.
pub(super) fn parse(page: &str, url: &Url) -> Option<Vec<Child>> {
    if !is_index(page) {
        return None;
    }
    Some(Links(page).filter_map(|link| entry(&link, url)).collect())
}

/// Whether title or heading say so: a page of a site that takes the place of an index has links too,
/// and they are not what the directory holds.
fn is_index(page: &str) -> bool {
    ["title", "h1"].into_iter().any(|element| {
        let Some(text) = content(page, element) else {
            return false;
        };
        let text = unescaped(text.trim()).to_ascii_lowercase();
        TITLES.iter().any(|title| text.starts_with(title))
    })
}

/// The text of the first element of this name.
fn content<'a>(page: &'a str, element: &str) -> Option<&'a str> {
    let mut rest = page;
    loop {
        let (_, after) = rest.split_once('<')?;
        let is_it = after
            .get(..element.len())
            .is_some_and(|name| name.eq_ignore_ascii_case(element))
            && after[element.len()..].starts_with(['>', ' ']);
        if is_it {
            let (_, text) = after.split_once('>')?;
            return Some(text.split('<').next().unwrap_or(text));
        }
        rest = after;
    }
}

/// A link, and the text between its end and the next line or element.
struct Link<'a> {
    href: String,
    after: &'a str,
}

/// The links of a page, in order.
struct Links<'a>(&'a str);

impl<'a> Iterator for Links<'a> {
    type Item = Link<'a>;

    fn next(&mut self) -> Option<Link<'a>> {
        loop {
            let at = memchr::memchr(b'<', self.0.as_bytes())?;
            self.0 = self.0.get(at + 1..)?;
            let is_anchor = self.0.starts_with(['a', 'A'])
                && self.0[1..].starts_with(|c: char| c.is_ascii_whitespace());
            if !is_anchor {
                continue;
            }
            let (tag, rest) = self.0.split_once('>')?;
            self.0 = rest;
            let Some(href) = attribute(tag, "href") else {
                continue;
            };
            let after = end_of_anchor(rest).unwrap_or_default();
            let after = after.split(['\n', '<']).next().unwrap_or_default();
            return Some(Link { href, after });
        }
    }
}

fn end_of_anchor(rest: &str) -> Option<&str> {
    let at = memchr::memmem::find(rest.as_bytes(), b"</")?;
    let rest = rest.get(at + 2..)?;
    rest.strip_prefix("a>").or_else(|| rest.strip_prefix("A>"))
}

/// The value of an attribute of a tag, in any of the ways to quote it.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let mut rest = tag;
    while let Some((before, value)) = rest.split_once('=') {
        let found = before
            .trim_end()
            .rsplit(|c: char| c.is_ascii_whitespace())
            .next()?;
        let value = value.trim_start();
        let (text, after) = match value.chars().next()? {
            quote @ ('"' | '\'') => value[1..].split_once(quote)?,
            _ => value
                .split_once(|c: char| c.is_ascii_whitespace())
                .unwrap_or((value, "")),
        };
        if found.eq_ignore_ascii_case(name) {
            return Some(unescaped(text));
        }
        rest = after;
    }
    None
}

fn entry(link: &Link<'_>, url: &Url) -> Option<Child> {
    let (name, is_dir) = child(url, &link.href)?;
    let mut child = Child::new(name, is_dir);
    if !is_dir {
        child.size = size_by_nginx(link.after);
    }
    Some(child)
}

/// The size in a line of nginx, `01-Jan-1970 00:00    1234`. One with a unit is rounded; the columns
/// of other servers may hold anything, or are always rounded.
fn size_by_nginx(line: &str) -> Option<u64> {
    let mut words = line.split_ascii_whitespace();
    let (date, time, size) = (words.next()?, words.next()?, words.next()?);
    let is_date = date.len() == 11 && date.split('-').count() == 3;
    let is_time = time.len() == 5 && time.as_bytes().get(2) == Some(&b':');
    if !is_date || !is_time || words.next().is_some() {
        return None;
    }
    size.parse().ok()
}

/// Text with its character references replaced; what is none stays.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, reference)) = rest.split_once('&') {
        out.push_str(before);
        let known = reference
            .split_once(';')
            .filter(|(name, _)| name.len() <= 8);
        match known.and_then(|(name, after)| Some((character(name)?, after))) {
            Some((character, after)) => {
                out.push(character);
                rest = after;
            }
            None => {
                out.push('&');
                rest = reference;
            }
        }
    }
    out.push_str(rest);
    out
}

fn character(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(page: &str) -> Option<Vec<(String, bool, Option<u64>)>> {
        let url = Url::parse("http://host/dir/").unwrap();
        let children = parse(page, &url)?;
        Some(
            children
                .into_iter()
                .map(|child| (child.name, child.is_dir, child.size))
                .collect(),
        )
    }

    fn expected(entries: &[(&str, bool, Option<u64>)]) -> Option<Vec<(String, bool, Option<u64>)>> {
        let own = |(name, is_dir, size): &(&str, bool, _)| ((*name).to_owned(), *is_dir, *size);
        Some(entries.iter().map(own).collect())
    }

    #[test]
    fn nginx() {
        let page = "<html>\r\n<head><title>Index of /dir/</title></head>\r\n<body>\r\n<h1>Index of /dir/</h1><hr><pre><a href=\"../\">../</a>\r\n\
            <a href=\"sub/\">sub/</a>                 21-Nov-2026 19:20                   -\r\n\
            <a href=\"a%20%26%20b.txt\">a &amp; b.txt</a>          21-Nov-2026 19:20                1234\r\n\
            <a href=\"big.bin\">big.bin</a>          21-Nov-2026 19:20                 12K\r\n\
            </pre><hr></body>\r\n</html>\r\n";
        let entries = [
            ("sub", true, None),
            ("a & b.txt", false, Some(1234)),
            ("big.bin", false, None),
        ];
        assert_eq!(parsed(page), expected(&entries));
    }

    #[test]
    fn apache() {
        let page = r#"<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN"><html><head><title>Index of /dir</title></head><body><h1>Index of /dir</h1>
            <table><tr><th><a href="?C=N;O=D">Name</a></th><th><a href="?C=M;O=A">Last modified</a></th></tr>
            <tr><td><a href="/">Parent Directory</a></td><td>&nbsp;</td><td align="right">  - </td></tr>
            <tr><td><a href="sub/">sub/</a></td><td align="right">2026-11-21 19:20  </td><td align="right">  - </td></tr>
            <tr><td><a href="x&amp;y.gz">x&amp;y.gz</a></td><td align="right">2026-11-21 19:20  </td><td align="right">1.2K</td></tr>
            </table><address>Apache/2.4 Server at host Port 80</address></body></html>"#;
        assert_eq!(
            parsed(page),
            expected(&[("sub", true, None), ("x&y.gz", false, None)])
        );
    }

    #[test]
    fn python() {
        let page = "<!DOCTYPE HTML>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Directory listing for /dir/</title>\n</head>\n<body>\n<h1>Directory listing for /dir/</h1>\n<hr>\n<ul>\n\
            <li><a href=\".hidden\">.hidden</a></li>\n<li><a href=\"%C3%A9%23.txt\">é#.txt</a></li>\n<li><a href=\"sub/\">sub/</a></li>\n<li><a href=\"link\">link@</a></li>\n</ul>\n<hr>\n</body>\n</html>\n";
        let entries = [
            (".hidden", false, None),
            ("é#.txt", false, None),
            ("sub", true, None),
            ("link", false, None),
        ];
        assert_eq!(parsed(page), expected(&entries));
    }

    #[test]
    fn a_page_of_a_site_is_no_index() {
        for page in [
            "",
            "<html><title>Welcome</title><a href=\"x\">x</a></html>",
            "plain text",
            "<title>",
        ] {
            assert_eq!(parsed(page), None, "{page}");
        }
    }

    #[test]
    fn links_are_found_however_they_are_written() {
        let page = "<TITLE>Index of /</TITLE><A HREF=one>1</A> <a class='k' href='two'>2</a><a\nid=\"x\" href = \"three\" >3</a>\
            <abbr href=no><a name=\"no\">no</a><a href=\"http://evil/dir/x\">x</a><a href=\"&#47;etc&#x2f;passwd\">x</a><a href=\"four";
        let entries = [
            ("one", false, None),
            ("two", false, None),
            ("three", false, None),
        ];
        assert_eq!(parsed(page), expected(&entries));
    }

    proptest::proptest! {
        #[test]
        fn no_page_makes_it_panic(page in "(<title>Index of /</title>|<a href=|</a>|[<>&;#x\"'=/a-z é]|\\PC){0,40}") {
            let url = Url::parse("http://host/dir/").unwrap();
            let _ = parse(&format!("<h1>Index of /</h1>{page}"), &url);
        }
    }
}

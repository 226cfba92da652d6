use bytes::Bytes;
use memchr::memmem::find;

use crate::refusal::Refusal;

/// The parts of a `multipart/related` body, without their headers.
pub(crate) fn parts(content_type: &str, body: &Bytes) -> Result<Vec<Bytes>, Refusal> {
    let bad = |what: &str| Refusal::invalid(format!("multipart body: {what}"));
    let boundary = content_type
        .split(';')
        .find_map(|field| field.trim().strip_prefix("boundary="))
        .map(|boundary| boundary.trim_matches('"'))
        .filter(|boundary| !boundary.is_empty())
        .ok_or_else(|| bad("no boundary"))?;
    let delimiter = format!("\r\n--{boundary}");
    let opening = format!("--{boundary}");
    if !body.starts_with(opening.as_bytes()) {
        return Err(bad("it does not start with the boundary"));
    }
    let mut rest = body.slice(opening.len()..);
    let mut parts = Vec::new();
    while !rest.starts_with(b"--") {
        let headers = find(&rest, b"\r\n\r\n").ok_or_else(|| bad("a part has no headers"))?;
        let content = rest.slice(headers + 4..);
        let end = find(&content, delimiter.as_bytes()).ok_or_else(|| bad("it ends early"))?;
        parts.push(content.slice(..end));
        rest = content.slice(end + delimiter.len()..);
    }
    Ok(parts)
}

//! Which directories may hold what a pattern for files matches.

/// The patterns of the directories, each ending with `/`, that a file matching `glob` may lie in. The
/// root is not among them, it is always entered.
pub(crate) fn of_files(glob: &str) -> Vec<String> {
    const ALL: &str = "/**";
    if is_too_hard(glob) {
        return vec![ALL.to_owned()];
    }
    let mut rest = squash_slashes(glob);
    let mut found: Vec<String> = Vec::new();
    // A directory is all before a `/`, or all before and with a `**`, which may stand for a `/`.
    loop {
        let (slash, stars) = (rest.rfind('/'), rest.rfind("**"));
        let Some(end) = slash.max(stars) else {
            break;
        };
        let is_stars = stars > slash;
        rest.truncate(end);
        let directory = format!("{rest}{}/", if is_stars { "**" } else { "" });
        if found.last() != Some(&directory) {
            found.push(directory);
        }
    }
    if found.is_empty() {
        found.push(ALL.to_owned());
    }
    found.retain(|directory| directory != "/");
    found
}

/// Whether alternatives, classes or expressions may hide a `/` or `**`, so that any directory may
/// match.
fn is_too_hard(glob: &str) -> bool {
    let mut braces = 0;
    let mut brackets = 0;
    let (mut last, mut before) = (' ', ' ');
    for c in glob.chars() {
        match c {
            '{' => braces += 1,
            '}' => braces -= 1,
            '[' => brackets += 1,
            ']' => brackets -= 1,
            '/' if braces > 0 || brackets > 0 || last == '\\' => return true,
            '*' if last == '*' && (braces > 0 || brackets > 0 || before == '\\') => return true,
            _ => {}
        }
        // Nested alternatives, and `{{` and `}}`.
        if braces > 1 {
            return true;
        }
        (last, before) = (c, last);
    }
    false
}

fn squash_slashes(glob: &str) -> String {
    let mut squashed = String::with_capacity(glob.len());
    for c in glob.chars() {
        if c != '/' || !squashed.ends_with('/') {
            squashed.push(c);
        }
    }
    squashed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_of_patterns() {
        for (glob, directories) in [
            ("*.jpg", ["/**"].as_slice()),
            ("/*.jpg", &[]),
            ("/a/b/*.jpg", &["/a/b/", "/a/"]),
            ("a/b", &["a/"]),
            ("/a/**/b", &["/a/**/", "/a/"]),
            ("**.jpg", &["**/"]),
            ("/a//b", &["/a/"]),
            ("{a,b}/c", &["{a,b}/"]),
            ("{a/b,c}", &["/**"]),
            ("{a,{b,c}}", &["/**"]),
            ("[/]", &["/**"]),
            ("{{a}}", &["/**"]),
            ("/a\\*b", &[]),
            ("/a\\**/b", &["/**"]),
        ] {
            assert_eq!(of_files(glob), directories, "{glob}");
        }
    }
}

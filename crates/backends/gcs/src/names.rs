//! Keys as the service takes them.
//!
//! Its names may hold neither CR nor LF. The two are written as a control character that sorts where
//! they do and a second one, and so is that control character itself, so that names differ where keys
//! do and sort as keys sort.

/// Stands before LF and itself: VT.
const LINE: char = '\u{b}';
/// Stands before CR and itself: SO.
const RETURN: char = '\u{e}';
const BREAK: char = '\u{1}';
const ITSELF: char = '\u{2}';

/// The name of a key, or the start of names of the start of a key.
pub(crate) fn encode(key: &str) -> String {
    let mut name = String::with_capacity(key.len());
    for character in key.chars() {
        match character {
            '\n' => name.extend([LINE, BREAK]),
            LINE => name.extend([LINE, ITSELF]),
            '\r' => name.extend([RETURN, BREAK]),
            RETURN => name.extend([RETURN, ITSELF]),
            other => name.push(other),
        }
    }
    name
}

/// The key of a name; `None` where no key has it.
pub(crate) fn decode(name: &str) -> Option<String> {
    let mut key = String::with_capacity(name.len());
    let mut characters = name.chars();
    while let Some(character) = characters.next() {
        key.push(match character {
            LINE => match characters.next()? {
                BREAK => '\n',
                ITSELF => LINE,
                _ => return None,
            },
            RETURN => match characters.next()? {
                BREAK => '\r',
                ITSELF => RETURN,
                _ => return None,
            },
            other => other,
        });
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIECES: [&str; 9] = [
        "\t", "\n", "\u{b}", "\u{c}", "\r", "\u{e}", "\u{f}", "a", "",
    ];

    #[test]
    fn names_come_back_and_sort_as_keys_do() {
        let keys = || {
            let pairs = PIECES.iter().flat_map(|a| PIECES.map(|b| (*a, b)));
            pairs.map(|(a, b)| format!("x{a}{b}"))
        };
        for key in keys() {
            let name = encode(&key);
            assert!(!name.contains(['\r', '\n']), "{name:?}");
            assert_eq!(decode(&name).as_deref(), Some(key.as_str()));
            for other in keys() {
                assert_eq!(
                    key.cmp(&other),
                    name.cmp(&encode(&other)),
                    "{key:?} {other:?}"
                );
            }
        }
    }

    #[test]
    fn foreign_names_without_a_key_are_told() {
        for name in ["a\u{b}", "a\u{b}b", "\u{e}\u{3}"] {
            assert_eq!(decode(name), None, "{name:?}");
        }
    }
}

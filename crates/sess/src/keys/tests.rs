//! Keys by their names and in each of their encodings.

use super::*;

fn key(text: &str) -> Key {
    text.parse().unwrap_or_else(|NoKey| panic!("{text} is a key"))
}

fn is(text: &str, bytes: &[u8]) -> bool {
    key(text).motion_in(bytes) == Some(Motion::Press)
}

#[test]
fn keys_are_written_as_tmux_names_them() {
    for text in [
        "C-\\", "M-x", "C-M-x", "S-Up", "F12", "C-Space", "Enter", "d", "-", "C--", "^", "M-S-F5",
        "X",
    ] {
        assert_eq!(key(text).to_string(), text);
    }
    for (text, same) in [
        ("^a", "C-a"),
        ("C-A", "C-a"),
        ("c-a", "C-a"),
        ("M-C-x", "C-M-x"),
        ("S-a", "A"),
        ("pgup", "PPage"),
        ("Delete", "DC"),
        ("esc", "Escape"),
        ("f5", "F5"),
        ("C-^", "C-^"),
        ("BTab", "S-Tab"),
        ("C-btab", "C-S-Tab"),
        ("PageUp", "PPage"),
        ("PgDn", "NPage"),
        ("Insert", "IC"),
    ] {
        assert_eq!(key(text), key(same), "{text}");
    }
}

#[test]
fn what_names_no_key_is_none() {
    for text in ["", "C-", "X-a", "Foo", "F0", "F21", "F01", "F+1", "ab", "C-ab", "\n", " ", "C- "]
    {
        assert_eq!(text.parse::<Key>(), Err(NoKey), "{text:?}");
    }
}

#[test]
fn characters_with_ctrl_are_control_bytes() {
    for (text, byte) in [
        ("C-\\", 0x1c),
        ("C-a", 1),
        ("C-z", 26),
        ("C-Space", 0),
        ("C-@", 0),
        ("C-]", 0x1d),
        ("C-^", 0x1e),
        ("C-_", 0x1f),
        ("C-/", 0x1f),
        ("C-4", 0x1c),
        ("C-?", 0x7f),
        ("Tab", 9),
        ("C-i", 9),
        ("q", b'q'),
    ] {
        assert!(is(text, &[byte]), "{text}");
        assert_eq!(key(text).byte(), Some(byte), "{text}");
    }
    assert_eq!(key("C-1").byte(), None);
    assert_eq!(key("C-S-a").byte(), None);
    assert_eq!(key("M-x").byte(), None);
    assert_eq!(key("Up").byte(), None);
    assert_eq!(key("é").byte(), None);
}

#[test]
fn alt_is_an_esc_before_the_key() {
    assert!(is("M-x", b"\x1bx"));
    assert!(is("C-M-x", b"\x1b\x18"));
    assert!(!is("M-x", b"x"));
    assert!(!is("x", b"\x1bx"));
    assert!(!is("C-\\", b"\x1b\x1c"));
}

#[test]
fn kittys_form_is_read_with_all_its_fields() {
    for bytes in [
        &b"\x1b[92;5u"[..],
        b"\x1b[92;5:1u",
        b"\x1b[92;5:2u",
        b"\x1b[92:124;5u",
        b"\x1b[92:124:92;5u",
        b"\x1b[92;5;92u",
        b"\x1b[92;5;u",
        b"\x1b[92;69u",
        b"\x1b[92;133u",
        b"\x1b[92;197:1u",
        b"\x1b[1078::92;5u",
        b"\x1b[35:39:92;5u",
        b"\x1b[252:92;6u",
    ] {
        assert!(is("C-\\", bytes), "{}", bytes.escape_ascii());
    }
    assert_eq!(key("C-\\").motion_in(b"\x1b[92;5:3u"), Some(Motion::Release));
    for bytes in [
        &b"\x1b[92u"[..],
        b"\x1b[92;1u",
        b"\x1b[92;6u",
        b"\x1b[92;7u",
        b"\x1b[92;13u",
        b"\x1b[93;5u",
        b"\x1b[1078:92;5u",
        b"\x1b[92:124;6u",
        b"\x1b[28u",
        b"\x1b[?92;5u",
        b"\x1b[92;5 u",
        b"\x1b[92;99999999999u",
    ] {
        assert!(!is("C-\\", bytes), "{}", bytes.escape_ascii());
    }
}

#[test]
fn modify_other_keys_form_is_read() {
    assert!(is("C-\\", b"\x1b[27;5;92~"));
    assert!(!is("C-\\", b"\x1b[27;6;92~"));
    assert!(!is("C-\\", b"\x1b[27;5~"));
    assert!(is("C-a", b"\x1b[27;5;97~"));
    assert!(is("C-|", b"\x1b[27;6;124~"));
    assert!(is("M-X", b"\x1b[27;4;88~"));
    assert!(is("M-X", b"\x1b[120;4u"));
    assert!(is("M-X", b"\x1b[120:88;4u"));
    assert!(is("C-Space", b"\x1b[27;5;32~"));
    assert!(is("C-S-a", b"\x1b[97;6u"));
    assert!(is("C-Enter", b"\x1b[13;5u"));
}

#[test]
fn keys_that_type_nothing_are_sequences() {
    for (text, forms) in [
        ("Up", &[&b"\x1b[A"[..], b"\x1bOA", b"\x1b[1;1A", b"\x1b[1;1:1A", b"\x1b[1;129A"][..]),
        ("C-Up", &[b"\x1b[1;5A"]),
        ("F1", &[b"\x1bOP", b"\x1b[P", b"\x1b[11~", b"\x1b[[A", b"\x1b[1;1P"]),
        ("F4", &[b"\x1bOS", b"\x1b[14~"]),
        ("S-F3", &[b"\x1b[1;2R", b"\x1b[13;2~"]),
        ("F12", &[b"\x1b[24~", b"\x1b[24;1:2~"]),
        ("F13", &[b"\x1b[25~", b"\x1b[57376u"]),
        ("F20", &[b"\x1b[34~"]),
        ("Home", &[b"\x1b[H", b"\x1bOH", b"\x1b[1~", b"\x1b[7~"]),
        ("DC", &[b"\x1b[3~"]),
        ("S-Tab", &[b"\x1b[Z", b"\x1b[9;2u"]),
        ("C-S-Tab", &[b"\x1b[1;5Z"]),
    ] {
        for bytes in forms {
            assert!(is(text, bytes), "{text}: {}", bytes.escape_ascii());
        }
    }
    assert!(!is("Up", b"\x1b[1;2A"));
    assert!(!is("Up", b"\x1b[B"));
    assert!(!is("Tab", b"\x1b[Z"));
}

#[test]
fn releases_and_modifiers_accompany_other_keys() {
    assert!(is_accompaniment(b"\x1b[97;5:3u"));
    assert!(is_accompaniment(b"\x1b[57442;5u"));
    assert!(is_accompaniment(b"\x1b[1;1:3A"));
    assert!(!is_accompaniment(b"\x1b[97;5u"));
    assert!(!is_accompaniment(b"\x1b[A"));
    assert!(!is_accompaniment(b"a"));
}

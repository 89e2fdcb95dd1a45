//! Keys and what terminals send for them, group by group with its source.

use super::*;

const C_S: u8 = CTRL | SHIFT;
const C_M: u8 = CTRL | ALT;
const M_S: u8 = ALT | SHIFT;
const C_M_S: u8 = CTRL | ALT | SHIFT;

fn modes(set: impl FnOnce(&mut Modes)) -> Modes {
    let mut modes = Modes::default();
    set(&mut modes);
    modes
}

fn plain() -> Modes {
    Modes::default()
}

fn other_keys(level: u8) -> Modes {
    modes(|modes| modes.modify_other_keys = level)
}

fn kitty(flags: u8) -> Modes {
    modes(|modes| {
        modes.kitty_keyboard = flags;
        modes.application_cursor = true;
    })
}

fn all(modes: &Modes, table: &[(KeyCode, u8, &str)]) {
    for &(code, mods, expected) in table {
        let bytes = encode(Key { code, mods }, modes);
        let sent = String::from_utf8(bytes).unwrap();
        assert_eq!(sent, expected, "{code:?} with {mods}");
    }
}

fn chars(modes: &Modes, table: &[(char, u8, &str)]) {
    for &(c, mods, expected) in table {
        all(modes, &[(KeyCode::Char(c), mods, expected)]);
    }
}

// XLookupString's table of control bytes, and xterm's input.c for `?`.
#[test]
fn characters_are_text_or_control_bytes() {
    chars(
        &plain(),
        &[
            ('a', 0, "a"),
            ('A', 0, "A"),
            ('a', SHIFT, "A"),
            ('é', 0, "é"),
            ('é', SHIFT, "É"),
            ('ß', SHIFT, "ß"),
            ('😀', 0, "😀"),
            (' ', 0, " "),
            (' ', SHIFT, " "),
            ('a', CTRL, "\x01"),
            ('z', CTRL, "\x1a"),
            ('a', C_S, "\x01"),
            ('A', CTRL, "\x01"),
            ('@', CTRL, "\0"),
            ('[', CTRL, "\x1b"),
            ('\\', CTRL, "\x1c"),
            (']', CTRL, "\x1d"),
            ('^', CTRL, "\x1e"),
            ('_', CTRL, "\x1f"),
            ('`', CTRL, "\0"),
            ('{', CTRL, "\x1b"),
            ('|', CTRL, "\x1c"),
            ('}', CTRL, "\x1d"),
            ('~', CTRL, "\x1e"),
            (' ', CTRL, "\0"),
            ('/', CTRL, "\x1f"),
            ('?', CTRL, "\x7f"),
            ('2', CTRL, "\0"),
            ('3', CTRL, "\x1b"),
            ('4', CTRL, "\x1c"),
            ('5', CTRL, "\x1d"),
            ('6', CTRL, "\x1e"),
            ('7', CTRL, "\x1f"),
            ('8', CTRL, "\x7f"),
            ('1', CTRL, "1"),
            ('9', CTRL, "9"),
            ('0', CTRL, "0"),
            ('.', CTRL, "."),
            ('-', CTRL, "-"),
            ('é', CTRL, "é"),
        ],
    );
}

// xterm with metaSendsEscape, and every terminal since.
#[test]
fn alt_is_an_esc_before_it() {
    chars(
        &plain(),
        &[
            ('x', ALT, "\x1bx"),
            ('X', ALT, "\x1bX"),
            ('x', M_S, "\x1bX"),
            ('x', C_M, "\x1b\x18"),
            (' ', C_M, "\x1b\0"),
            ('[', ALT, "\x1b["),
            ('é', ALT, "\x1bé"),
            ('.', C_M, "\x1b."),
        ],
    );
}

// The table of C0 controls in the kitty keyboard protocol's legacy section.
#[test]
fn enter_tab_escape_and_backspace_are_bytes() {
    all(
        &plain(),
        &[
            (KeyCode::Enter, 0, "\r"),
            (KeyCode::Enter, SHIFT, "\r"),
            (KeyCode::Enter, CTRL, "\r"),
            (KeyCode::Enter, ALT, "\x1b\r"),
            (KeyCode::Enter, C_M, "\x1b\r"),
            (KeyCode::Tab, 0, "\t"),
            (KeyCode::Tab, CTRL, "\t"),
            (KeyCode::Tab, SHIFT, "\x1b[Z"),
            (KeyCode::Tab, C_S, "\x1b[Z"),
            (KeyCode::Tab, ALT, "\x1b\t"),
            (KeyCode::Tab, M_S, "\x1b\x1b[Z"),
            (KeyCode::Escape, 0, "\x1b"),
            (KeyCode::Escape, CTRL, "\x1b"),
            (KeyCode::Escape, ALT, "\x1b\x1b"),
            (KeyCode::Backspace, 0, "\x7f"),
            (KeyCode::Backspace, SHIFT, "\x7f"),
            (KeyCode::Backspace, CTRL, "\x08"),
            (KeyCode::Backspace, ALT, "\x1b\x7f"),
            (KeyCode::Backspace, C_M, "\x1b\x08"),
        ],
    );
}

// LNM, as of the VT100.
#[test]
fn enter_is_two_bytes_in_newline_mode() {
    let newline = modes(|modes| modes.newline = true);
    all(&newline, &[(KeyCode::Enter, 0, "\r\n"), (KeyCode::Enter, ALT, "\x1b\r\n")]);
    chars(&newline, &[('m', CTRL, "\r")]);
}

// xterm's ctlseqs, "PC-Style Function Keys".
#[test]
fn cursor_keys_follow_their_mode_unless_modified() {
    let application = modes(|modes| modes.application_cursor = true);
    for (code, letter) in [
        (KeyCode::Up, 'A'),
        (KeyCode::Down, 'B'),
        (KeyCode::Right, 'C'),
        (KeyCode::Left, 'D'),
        (KeyCode::End, 'F'),
        (KeyCode::Home, 'H'),
    ] {
        all(&plain(), &[(code, 0, &format!("\x1b[{letter}"))]);
        all(&application, &[(code, 0, &format!("\x1bO{letter}"))]);
        for modes in [&plain(), &application] {
            all(modes, &[(code, SHIFT, &format!("\x1b[1;2{letter}"))]);
            all(modes, &[(code, CTRL, &format!("\x1b[1;5{letter}"))]);
            all(modes, &[(code, C_M_S, &format!("\x1b[1;8{letter}"))]);
        }
    }
}

// xterm's ctlseqs, "PC-Style Function Keys" and "VT220-Style Function Keys".
#[test]
fn function_and_editing_keys_have_numbers() {
    all(
        &plain(),
        &[
            (KeyCode::Insert, 0, "\x1b[2~"),
            (KeyCode::Delete, 0, "\x1b[3~"),
            (KeyCode::PageUp, 0, "\x1b[5~"),
            (KeyCode::PageDown, 0, "\x1b[6~"),
            (KeyCode::Delete, CTRL, "\x1b[3;5~"),
            (KeyCode::PageUp, ALT, "\x1b[5;3~"),
            (KeyCode::F(1), 0, "\x1bOP"),
            (KeyCode::F(2), 0, "\x1bOQ"),
            (KeyCode::F(3), 0, "\x1bOR"),
            (KeyCode::F(4), 0, "\x1bOS"),
            (KeyCode::F(1), SHIFT, "\x1b[1;2P"),
            (KeyCode::F(3), CTRL, "\x1b[1;5R"),
            (KeyCode::F(4), C_M_S, "\x1b[1;8S"),
            (KeyCode::F(5), 0, "\x1b[15~"),
            (KeyCode::F(5), SHIFT, "\x1b[15;2~"),
            (KeyCode::F(6), 0, "\x1b[17~"),
            (KeyCode::F(10), 0, "\x1b[21~"),
            (KeyCode::F(11), 0, "\x1b[23~"),
            (KeyCode::F(12), CTRL, "\x1b[24;5~"),
            (KeyCode::F(13), 0, "\x1b[25~"),
            (KeyCode::F(14), 0, "\x1b[26~"),
            (KeyCode::F(15), 0, "\x1b[28~"),
            (KeyCode::F(16), 0, "\x1b[29~"),
            (KeyCode::F(17), 0, "\x1b[31~"),
            (KeyCode::F(20), ALT, "\x1b[34;3~"),
        ],
    );
}

#[test]
fn keys_that_no_keyboard_has_send_nothing() {
    for modes in [plain(), other_keys(2), kitty(1), kitty(31)] {
        for f in [0, 21, 255] {
            all(&modes, &[(KeyCode::F(f), 0, "")]);
        }
    }
}

// xterm's input.c, ModifyOtherKeys() and allowedCharModifiers().
#[test]
fn other_keys_at_level_1_are_what_has_no_byte() {
    chars(
        &other_keys(1),
        &[
            ('a', 0, "a"),
            ('a', SHIFT, "A"),
            ('a', CTRL, "\x01"),
            ('a', C_S, "\x01"),
            ('a', ALT, "\x1ba"),
            ('a', C_M, "\x1b\x01"),
            (' ', CTRL, "\0"),
            (' ', SHIFT, " "),
            ('/', CTRL, "\x1f"),
            ('2', CTRL, "\0"),
            ('1', CTRL, "\x1b[27;5;49~"),
            ('.', CTRL, "\x1b[27;5;46~"),
            ('.', C_M, "\x1b[27;7;46~"),
            ('!', C_S, "\x1b[27;6;33~"),
            ('é', CTRL, "\x1b[27;5;233~"),
            ('é', C_S, "\x1b[27;6;201~"),
        ],
    );
    all(
        &other_keys(1),
        &[
            (KeyCode::Enter, 0, "\r"),
            (KeyCode::Enter, ALT, "\x1b\r"),
            (KeyCode::Enter, SHIFT, "\x1b[27;2;13~"),
            (KeyCode::Enter, CTRL, "\x1b[27;5;13~"),
            (KeyCode::Tab, SHIFT, "\x1b[Z"),
            (KeyCode::Tab, CTRL, "\x1b[27;5;9~"),
            (KeyCode::Tab, C_S, "\x1b[Z"),
            (KeyCode::Escape, CTRL, "\x1b"),
            (KeyCode::Escape, ALT, "\x1b\x1b"),
            (KeyCode::Backspace, SHIFT, "\x7f"),
            (KeyCode::Backspace, CTRL, "\x08"),
            (KeyCode::Up, CTRL, "\x1b[1;5A"),
        ],
    );
}

// xterm's input.c, ModifyOtherKeys(); letters with shift alone as everybody else
// has them, which is plain.
#[test]
fn other_keys_at_level_2_are_all_that_is_modified() {
    chars(
        &other_keys(2),
        &[
            ('a', 0, "a"),
            ('a', SHIFT, "A"),
            ('!', SHIFT, "!"),
            ('a', CTRL, "\x1b[27;5;97~"),
            ('a', C_S, "\x1b[27;6;65~"),
            ('a', ALT, "\x1b[27;3;97~"),
            ('A', ALT, "\x1b[27;4;65~"),
            ('a', C_M, "\x1b[27;7;97~"),
            (' ', 0, " "),
            (' ', SHIFT, "\x1b[27;2;32~"),
            (' ', CTRL, "\x1b[27;5;32~"),
            ('|', CTRL, "\x1b[27;5;124~"),
        ],
    );
    all(
        &other_keys(2),
        &[
            (KeyCode::Enter, 0, "\r"),
            (KeyCode::Enter, SHIFT, "\x1b[27;2;13~"),
            (KeyCode::Enter, ALT, "\x1b[27;3;13~"),
            (KeyCode::Tab, 0, "\t"),
            (KeyCode::Tab, SHIFT, "\x1b[Z"),
            (KeyCode::Tab, CTRL, "\x1b[27;5;9~"),
            (KeyCode::Tab, C_S, "\x1b[27;6;9~"),
            (KeyCode::Escape, 0, "\x1b"),
            (KeyCode::Escape, SHIFT, "\x1b"),
            (KeyCode::Escape, CTRL, "\x1b[27;5;27~"),
            (KeyCode::Backspace, 0, "\x7f"),
            (KeyCode::Backspace, CTRL, "\x08"),
            (KeyCode::Backspace, ALT, "\x1b[27;3;127~"),
            (KeyCode::F(1), 0, "\x1bOP"),
        ],
    );
}

// The kitty keyboard protocol, "Disambiguate escape codes" and the table of
// functional keys.
#[test]
fn kittys_first_flag_leaves_no_byte_with_two_meanings() {
    chars(
        &kitty(1),
        &[
            ('a', 0, "a"),
            ('a', SHIFT, "A"),
            ('A', 0, "A"),
            ('é', SHIFT, "É"),
            (' ', SHIFT, " "),
            ('a', CTRL, "\x1b[97;5u"),
            ('a', C_S, "\x1b[97;6u"),
            ('x', ALT, "\x1b[120;3u"),
            ('X', ALT, "\x1b[120;4u"),
            ('[', CTRL, "\x1b[91;5u"),
            ('|', ALT, "\x1b[124;3u"),
            (' ', CTRL, "\x1b[32;5u"),
            ('é', C_M, "\x1b[233;7u"),
        ],
    );
    all(
        &kitty(1),
        &[
            (KeyCode::Escape, 0, "\x1b[27u"),
            (KeyCode::Escape, ALT, "\x1b[27;3u"),
            (KeyCode::Enter, 0, "\r"),
            (KeyCode::Enter, SHIFT, "\x1b[13;2u"),
            (KeyCode::Tab, 0, "\t"),
            (KeyCode::Tab, SHIFT, "\x1b[9;2u"),
            (KeyCode::Backspace, 0, "\x7f"),
            (KeyCode::Backspace, CTRL, "\x1b[127;5u"),
            (KeyCode::Up, 0, "\x1b[A"),
            (KeyCode::Up, CTRL, "\x1b[1;5A"),
            (KeyCode::Home, 0, "\x1b[H"),
            (KeyCode::Delete, SHIFT, "\x1b[3;2~"),
            (KeyCode::F(1), 0, "\x1b[P"),
            (KeyCode::F(3), 0, "\x1b[13~"),
            (KeyCode::F(3), SHIFT, "\x1b[13;2~"),
            (KeyCode::F(4), CTRL, "\x1b[1;5S"),
            (KeyCode::F(12), 0, "\x1b[24~"),
            (KeyCode::F(13), 0, "\x1b[57376u"),
            (KeyCode::F(20), CTRL, "\x1b[57383;5u"),
        ],
    );
}

// The kitty keyboard protocol, "Report event types": a press is the default.
#[test]
fn kittys_events_change_nothing_for_a_press() {
    chars(&kitty(3), &[('a', 0, "a"), ('a', CTRL, "\x1b[97;5u")]);
    all(&kitty(3), &[(KeyCode::Up, 0, "\x1b[A"), (KeyCode::Enter, 0, "\r")]);
}

// The kitty keyboard protocol, "Key codes": the shifted key only with shift.
#[test]
fn kittys_alternates_bring_the_shifted_key() {
    chars(
        &kitty(5),
        &[
            ('a', SHIFT, "A"),
            ('a', CTRL, "\x1b[97;5u"),
            ('a', C_S, "\x1b[97:65;6u"),
            ('X', ALT, "\x1b[120:88;4u"),
            ('1', C_S, "\x1b[49;6u"),
        ],
    );
}

// The kitty keyboard protocol, "Report all keys as escape codes" and "Report
// associated text".
#[test]
fn kitty_can_report_all_keys_and_their_text() {
    chars(&kitty(8), &[('a', 0, "\x1b[97u"), ('A', 0, "\x1b[97;2u"), (' ', 0, "\x1b[32u")]);
    all(
        &kitty(8),
        &[
            (KeyCode::Enter, 0, "\x1b[13u"),
            (KeyCode::Tab, 0, "\x1b[9u"),
            (KeyCode::Backspace, 0, "\x1b[127u"),
            (KeyCode::Left, 0, "\x1b[D"),
        ],
    );
    chars(
        &kitty(31),
        &[
            ('a', 0, "\x1b[97;;97u"),
            ('a', SHIFT, "\x1b[97:65;2;65u"),
            ('!', 0, "\x1b[33;;33u"),
            ('a', CTRL, "\x1b[97;5u"),
            ('a', ALT, "\x1b[97;3u"),
        ],
    );
    all(&kitty(31), &[(KeyCode::Enter, 0, "\x1b[13u")]);
}

// Without one of the flags that change what is sent, nothing changes; and a
// program that speaks both protocols means the newer one.
#[test]
fn kittys_flags_stand_above_xterms_other_keys() {
    chars(&kitty(2 | 4 | 16), &[('a', 0, "a"), ('a', CTRL, "\x01")]);
    all(&kitty(2 | 4 | 16), &[(KeyCode::Escape, 0, "\x1b"), (KeyCode::Up, 0, "\x1bOA")]);
    let mut both = kitty(1);
    both.modify_other_keys = 2;
    chars(&both, &[('a', CTRL, "\x1b[97;5u")]);
}

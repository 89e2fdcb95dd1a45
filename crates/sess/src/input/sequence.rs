//! What a whole escape sequence of a terminal's input is: typed, passive, or the
//! terminal's answer. Owns the list of answers. Must not know where sequences
//! end, nor which key is which.

/// What a sequence is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// A key or a mouse button; also what is not known.
    Key,
    /// A focus change or mouse motion.
    Passive,
    /// The terminal's answer to a question, or a notice that was asked for.
    Report,
    /// What follows is pasted.
    PasteStart,
}

/// The bit of motion in a mouse report's first number.
const MOTION: u32 = 32;

/// What this sequence is; it is one whole sequence as the lexer finds them.
pub(super) fn classify(sequence: &[u8]) -> Class {
    match sequence {
        [0x1b, b'[', b'M', button, _, _] => mouse(u32::from(*button).saturating_sub(32)),
        [0x1b, b'[', body @ .., last] => control(body, *last),
        // The lexer lets no other strings through than answers; as a key with
        // alt they are two bytes.
        [0x1b, b']' | b'P' | b'_', _, ..] => Class::Report,
        _ => Class::Key,
    }
}

#[expect(clippy::match_same_arms, reason = "it is a list of answers, a line each")]
fn control(body: &[u8], last: u8) -> Class {
    let (prefix, body) = match body {
        [prefix @ b'<'..=b'?', body @ ..] => (Some(*prefix), body),
        _ => (None, body),
    };
    let intermediates = body.iter().position(|byte| *byte < b'0').unwrap_or(body.len());
    let (parameters, intermediates) = body.split_at(intermediates);
    let report = match (prefix, intermediates, last) {
        // DA1, DECXCPR, DSR and notices of the colour scheme, kitty's flags,
        // sizes of images.
        (Some(b'?'), [], b'c' | b'R' | b'n' | b'u' | b'S') => true,
        // DA2, modifyOtherKeys.
        (Some(b'>'), [], b'c' | b'm') => true,
        // DECRPM.
        (None | Some(b'?'), b"$", b'y') => true,
        (None, [], b'R') => is_position(parameters),
        (None, [], b'n') => matches!(parameters, b"0" | b"3"),
        (None, [], b't') => is_size_report(parameters),
        // DECREPTPARM.
        (None, [], b'x') => matches!(parameters, [b'2' | b'3', b';', ..]),
        _ => false,
    };
    if report {
        return Class::Report;
    }
    match (prefix, intermediates, last) {
        (None, [], b'I' | b'O') if parameters.is_empty() => Class::Passive,
        (None, [], b'~') if parameters == b"200" => Class::PasteStart,
        (Some(b'<'), [], b'M' | b'm') => mouse(number(parameters).unwrap_or(0)),
        (None, [], b'M') => mouse(number(parameters).unwrap_or(0).saturating_sub(32)),
        _ => Class::Key,
    }
}

fn mouse(button: u32) -> Class {
    if button & MOTION == 0 { Class::Key } else { Class::Passive }
}

/// Where the cursor is: row and column, but for what F3 with modifiers sends.
fn is_position(parameters: &[u8]) -> bool {
    let mut numbers = parameters.split(|byte| *byte == b';').map(whole_number);
    match (numbers.next().flatten(), numbers.next().flatten(), numbers.next()) {
        (Some(1), Some(2..=16), None) => false,
        (Some(_), Some(_), None) => true,
        _ => false,
    }
}

/// Answers to XTWINOPS, and notices of the size (mode 2048).
fn is_size_report(parameters: &[u8]) -> bool {
    matches!(
        (number(parameters), parameters.contains(&b';')),
        (Some(1 | 2), false) | (Some(3 | 4 | 5 | 6 | 8 | 9 | 48), true)
    )
}

/// The first of the parameters.
fn number(parameters: &[u8]) -> Option<u32> {
    whole_number(parameters.split(|byte| *byte == b';').next()?)
}

fn whole_number(digits: &[u8]) -> Option<u32> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(class: Class, sequences: &[&[u8]]) {
        for sequence in sequences {
            assert_eq!(classify(sequence), class, "{}", sequence.escape_ascii());
        }
    }

    #[test]
    fn answers_are_reports() {
        all(
            Class::Report,
            &[
                b"\x1b[?62;22c",
                b"\x1b[?6c",
                b"\x1b[>1;10;0c",
                b"\x1bP!|00000000\x1b\\",
                b"\x1b[24;80R",
                b"\x1b[1;1R",
                b"\x1b[1;17R",
                b"\x1b[2;2R",
                b"\x1b[?24;80;1R",
                b"\x1b[0n",
                b"\x1b[3n",
                b"\x1b[?997;1n",
                b"\x1b[?2004;1$y",
                b"\x1b[4;1$y",
                b"\x1bP1$r0m\x1b\\",
                b"\x1bP0+r\x1b\\",
                b"\x1bP>|kitty(0.35)\x1b\\",
                b"\x1b]11;rgb:0000/0000/0000\x1b\\",
                b"\x1b]11;rgb:0000/0000/0000\x07",
                b"\x1b]ltitle\x1b\\",
                b"\x1b[?1u",
                b"\x1b_Gi=31;OK\x1b\\",
                b"\x1b[8;24;80t",
                b"\x1b[4;480;640t",
                b"\x1b[3;0;0t",
                b"\x1b[48;24;80;480;640t",
                b"\x1b[1t",
                b"\x1b[>4;2m",
                b"\x1b[?2;0;640;480S",
                b"\x1b[2;1;1;112;112;1;0x",
            ],
        );
    }

    #[test]
    fn modified_f3_is_a_key_and_so_is_what_is_not_known() {
        for modifiers in 2..=16 {
            all(Class::Key, &[format!("\x1b[1;{modifiers}R").as_bytes()]);
        }
        all(
            Class::Key,
            &[
                b"\x1b[R",
                b"\x1b[A",
                b"\x1b[1;5A",
                b"\x1b[1;2:1R",
                b"\x1b[3~",
                b"\x1b[97;5u",
                b"\x1b[27;5;92~",
                b"\x1bOP",
                b"\x1b[Z",
                b"\x1bx",
                b"\x1b]",
                b"\x1bP",
                b"\x1b_",
                b"\x1b[n",
                b"\x1b[5n",
                b"\x1b[7;1t",
                b"\x1b[8t",
                b"\x1b[?1h",
                b"\x1b[1;2;3R",
                b"\x1b[201~",
                b"\x1b[[A",
            ],
        );
    }

    #[test]
    fn focus_and_motion_are_passive_but_buttons_are_not() {
        all(
            Class::Passive,
            &[
                b"\x1b[I",
                b"\x1b[O",
                b"\x1b[<35;10;10M",
                b"\x1b[<32;10;10M",
                b"\x1b[<35;10;10m",
                b"\x1b[M\x43!!",
                b"\x1b[67;10;10M",
            ],
        );
        all(
            Class::Key,
            &[
                b"\x1b[<0;10;10M",
                b"\x1b[<0;10;10m",
                b"\x1b[<64;10;10M",
                b"\x1b[M !!",
                b"\x1b[M#!!",
                b"\x1b[M`!!",
                b"\x1b[32;10;10M",
                b"\x1b[96;10;10M",
                b"\x1b[1I",
            ],
        );
    }

    #[test]
    fn a_paste_is_told_by_its_bracket() {
        all(Class::PasteStart, &[b"\x1b[200~"]);
    }
}

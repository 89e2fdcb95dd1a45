//! Input in any pieces: what comes in goes out, told apart.

use super::*;

/// A token that owns its bytes; typed ones next to each other are one.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Typed(Vec<u8>),
    Passive(Vec<u8>),
    Report(Vec<u8>),
    Detach,
}

use Piece::{Detach, Passive, Report, Typed};

#[derive(Debug)]
struct Run {
    splitter: InputSplitter,
    pieces: Vec<Piece>,
}

impl Run {
    fn new(key: &str) -> Self {
        Self { splitter: InputSplitter::new(key.parse().unwrap()), pieces: Vec::new() }
    }

    fn feed(&mut self, bytes: &[u8]) -> &mut Self {
        let pieces = &mut self.pieces;
        self.splitter.feed(bytes, &mut |token| push(pieces, token));
        self
    }

    fn expire(&mut self) -> &mut Self {
        let pieces = &mut self.pieces;
        self.splitter.expire(&mut |token| push(pieces, token));
        self
    }

    fn take(&mut self) -> Vec<Piece> {
        std::mem::take(&mut self.pieces)
    }
}

fn push(pieces: &mut Vec<Piece>, token: Token<'_>) {
    match (token, pieces.last_mut()) {
        (Token::Typed(more), Some(Typed(bytes))) => {
            assert!(!more.is_empty(), "an empty token");
            bytes.extend_from_slice(more);
        }
        (Token::Typed(bytes), _) => {
            assert!(!bytes.is_empty(), "an empty token");
            pieces.push(Typed(bytes.to_vec()));
        }
        (Token::Passive(bytes), _) => pieces.push(Passive(bytes.to_vec())),
        (Token::Report(bytes), _) => pieces.push(Report(bytes.to_vec())),
        (Token::Detach, _) => pieces.push(Detach),
    }
}

fn text(bytes: &[u8]) -> Piece {
    Typed(bytes.to_vec())
}

fn cut(bytes: &[u8]) -> Vec<Piece> {
    cut_for("C-\\", bytes)
}

/// Cuts the bytes whole, and split at each place: the same must come out.
fn cut_for(key: &str, bytes: &[u8]) -> Vec<Piece> {
    let whole = Run::new(key).feed(bytes).take();
    for split in 1..bytes.len() {
        let (a, b) = bytes.split_at(split);
        let pieces = Run::new(key).feed(a).feed(b).take();
        assert_eq!(pieces, whole, "{} | {}", a.escape_ascii(), b.escape_ascii());
    }
    let mut single = Run::new(key);
    for byte in bytes {
        single.feed(&[*byte]);
    }
    assert_eq!(single.take(), whole, "{} byte by byte", bytes.escape_ascii());
    whole
}

/// Numbers without meaning, the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }
}

#[test]
fn plain_text_is_one_token_of_the_read_itself() {
    let mut splitter = InputSplitter::new(DetachKey::default());
    let bytes = "größe \u{1f980} \r\x03\x7f\u{9b}".as_bytes();
    let mut count = 0;
    splitter.feed(bytes, &mut |token| {
        let Token::Typed(given) = token else { panic!("{token:?}") };
        assert!(std::ptr::eq(given, bytes));
        count += 1;
    });
    assert_eq!(count, 1);
    assert_eq!(splitter.deadline(), None);
}

#[test]
fn keys_in_one_read_stay_one_token() {
    let mut count = 0;
    InputSplitter::new(DetachKey::default())
        .feed(b"a\x1b[A\x1bOBb\x1bx\x1b[<0;1;1M", &mut |_| count += 1);
    assert_eq!(count, 1);
}

#[test]
fn bytes_that_are_no_utf8_are_untouched() {
    let bytes: Vec<u8> = (0x80..=0xff).chain(0..=0x1a).chain(0x1d..=0x7f).collect();
    assert_eq!(cut(&bytes), [text(&bytes)]);
}

#[test]
fn the_detach_key_is_seen_in_each_form_between_anything() {
    for form in
        [&b"\x1c"[..], b"\x1b[92;5u", b"\x1b[92;133:1u", b"\x1b[92:124:92;5:2u", b"\x1b[27;5;92~"]
    {
        let bytes = [b"ab", form, b"cd"].concat();
        assert_eq!(cut(&bytes), [text(b"ab"), Detach, text(b"cd")], "{}", form.escape_ascii());
    }
    assert_eq!(cut(b"a\x1b[92;5:3ub"), [text(b"ab")]);
    assert_eq!(cut(b"\x1c\x1c"), [Detach, Detach]);
    assert_eq!(cut_for("", b"\x1c\x1b[92;5u"), [text(b"\x1c\x1b[92;5u")]);
}

#[test]
fn nothing_detaches_within_a_paste() {
    let paste = b"\x1b[200~a\x1c\x1b[92;5u\x1b]0;\x1b[20\x1b\x1b[I\x1b[201~";
    assert_eq!(cut(paste), [text(paste)]);
    let after = [&paste[..], b"\x1c"].concat();
    assert_eq!(cut(&after), [text(paste), Detach]);
    let mut run = Run::new("C-\\");
    assert_eq!(run.feed(b"\x1b[200~abc\x1b[20").take(), [text(b"\x1b[200~abc\x1b[20")]);
    assert_eq!(run.splitter.deadline(), None);
}

#[test]
fn answers_are_cut_out_whole() {
    assert_eq!(
        cut(b"a\x1b[?62;22cb\x1b]11;rgb:1/2/3\x1b\\\x1bP>|x\x1b\\c\x1b_Gi=1;OK\x1b\\\x1b[5;7R"),
        [
            text(b"a"),
            Report(b"\x1b[?62;22c".to_vec()),
            text(b"b"),
            Report(b"\x1b]11;rgb:1/2/3\x1b\\".to_vec()),
            Report(b"\x1bP>|x\x1b\\".to_vec()),
            text(b"c"),
            Report(b"\x1b_Gi=1;OK\x1b\\".to_vec()),
            Report(b"\x1b[5;7R".to_vec()),
        ]
    );
    assert_eq!(cut(b"\x1b]10;x\x07y"), [Report(b"\x1b]10;x\x07".to_vec()), text(b"y")]);
}

#[test]
fn focus_and_motion_are_cut_out() {
    assert_eq!(
        cut(b"a\x1b[I\x1b[<35;1;2M\x1b[M\x43\xff!\x1b[<0;1;2Mb"),
        [
            text(b"a"),
            Passive(b"\x1b[I".to_vec()),
            Passive(b"\x1b[<35;1;2M".to_vec()),
            Passive(b"\x1b[M\x43\xff!".to_vec()),
            text(b"\x1b[<0;1;2Mb"),
        ]
    );
}

#[test]
fn keys_with_alt_that_look_like_strings_are_keys() {
    assert_eq!(cut(b"\x1b]ls\r"), [text(b"\x1b]ls\r")]);
    assert_eq!(cut(b"\x1b]1;x\r\x1c"), [text(b"\x1b]1;x\r"), Detach]);
    assert_eq!(cut(b"\x1bPrint\x1c"), [text(b"\x1bPrint"), Detach]);
    assert_eq!(cut(b"\x1b_a\x1b^b\x1bXc\x1c"), [text(b"\x1b_a\x1b^b\x1bXc"), Detach]);
}

#[test]
fn what_breaks_off_a_sequence_counts_itself() {
    assert_eq!(cut(b"\x1b[1;\x1c"), [text(b"\x1b[1;"), Detach]);
    assert_eq!(cut(b"\x1b[1;\x1b[92;5u"), [text(b"\x1b[1;"), Detach]);
    assert_eq!(cut(b"\x1b\x1b[92;5u"), [text(b"\x1b"), Detach]);
    assert_eq!(cut(b"\x1bO\x1c"), [text(b"\x1bO"), Detach]);
    assert_eq!(cut(b"\x1b]11;rgb\x1b[92;5u"), [text(b"\x1b]11;rgb"), Detach]);
    assert_eq!(cut(b"\x1bP1$r\x1b\x1c"), [text(b"\x1bP1$r\x1b\x1c")]);
    assert_eq!(cut(b"\x1b[M \x1c"), [text(b"\x1b[M "), Detach]);
}

#[test]
fn a_lone_escape_waits_only_briefly() {
    let mut run = Run::new("C-\\");
    assert_eq!(run.feed(b"ab\x1b").take(), [text(b"ab")]);
    assert_eq!(run.splitter.deadline(), Some(KEY_HOLD));
    assert_eq!(run.expire().take(), [text(b"\x1b")]);
    assert_eq!(run.splitter.deadline(), None);
    assert_eq!(run.expire().take(), []);
    assert_eq!(run.feed(b"[A\x1c").take(), [text(b"[A"), Detach]);
}

#[test]
fn what_may_be_a_key_is_held_briefly_and_what_is_an_answer_longer() {
    for (held, hold) in [
        (&b"\x1b["[..], KEY_HOLD),
        (b"\x1bO", KEY_HOLD),
        (b"\x1b]", KEY_HOLD),
        (b"\x1bP", KEY_HOLD),
        (b"\x1b_", KEY_HOLD),
        (b"\x1b[?", KEY_HOLD),
        (b"\x1b[92;", KEY_HOLD),
        (b"\x1b[M!", KEY_HOLD),
        (b"\x1b[?6", REPORT_HOLD),
        (b"\x1b[>1;", REPORT_HOLD),
        (b"\x1b[<35;", REPORT_HOLD),
        (b"\x1b[200", REPORT_HOLD),
        (b"\x1b]1", REPORT_HOLD),
        (b"\x1b]11;rgb:\x1b", REPORT_HOLD),
        (b"\x1bP1$", REPORT_HOLD),
        (b"\x1b_Gi", REPORT_HOLD),
    ] {
        let mut run = Run::new("C-\\");
        assert_eq!(run.feed(held).take(), [], "{}", held.escape_ascii());
        assert_eq!(run.splitter.deadline(), Some(hold), "{}", held.escape_ascii());
        assert_eq!(run.expire().take(), [text(held)], "{}", held.escape_ascii());
    }
}

#[test]
fn an_answer_without_an_end_is_passed_on() {
    let mut bytes = b"\x1b]52;c;".to_vec();
    bytes.resize(lexer::STRING_LIMIT + 5_000, b'A');
    let mut run = Run::new("C-\\");
    for read in bytes.chunks(4096) {
        run.feed(read);
        assert!(run.splitter.held.len() <= lexer::STRING_LIMIT);
    }
    assert_eq!(run.splitter.deadline(), None);
    assert_eq!(run.take(), [text(&bytes)]);
    let mut control = b"\x1b[?".to_vec();
    control.resize(2_000, b'1');
    assert_eq!(Run::new("C-\\").feed(&control).take(), [text(&control)]);
}

#[test]
fn a_sequence_of_keys_detaches_however_it_is_split() {
    assert_eq!(cut_for("C-a d", b"xd\x01dy"), [text(b"xd"), Detach, text(b"y")]);
    assert_eq!(cut_for("C-a d", b"\x01\x01d"), [text(b"\x01d")]);
    assert_eq!(cut_for("C-a d", b"\x01xd"), [text(b"\x01xd")]);
    assert_eq!(cut_for("C-a d", b"\x01\x1b[Ad"), [text(b"\x01\x1b[Ad")]);
    assert_eq!(cut_for("C-a d", "\x01éd".as_bytes()), [text("\x01éd".as_bytes())]);
    assert_eq!(cut_for("C-a d", b"\x1b[97;5u\x1b[97;5:3ud"), [Detach]);
    assert_eq!(cut_for("C-a d", b"\x01\x1b[200~d\x1b[201~"), [text(b"\x01\x1b[200~d\x1b[201~")]);
    assert_eq!(cut_for("C-a d", b"\x01\x1b[1;\x07d"), [text(b"\x01\x1b[1;\x07d")]);
    assert_eq!(cut_for("C-a F12", b"a\x01\x1b[24~"), [text(b"a"), Detach]);
    assert_eq!(cut_for("M-x", b"a\x1bx"), [text(b"a"), Detach]);
}

#[test]
fn the_first_key_of_a_sequence_waits_forever_and_nothing_waits_for_it() {
    let mut run = Run::new("C-a d");
    assert_eq!(run.feed(b"a\x01").take(), [text(b"a")]);
    assert_eq!(run.splitter.deadline(), None);
    assert_eq!(run.expire().take(), []);
    assert_eq!(
        run.feed(b"\x1b[O\x1b[?6c").take(),
        [Passive(b"\x1b[O".to_vec()), Report(b"\x1b[?6c".to_vec())]
    );
    assert_eq!(run.feed(b"d").take(), [Detach]);
    assert_eq!(run.feed(b"\x01\x1b").take(), []);
    assert_eq!(run.expire().take(), [text(b"\x01\x1b")]);
}

#[test]
fn whatever_comes_in_goes_out_in_order() {
    const PARTS: [&[u8]; 22] = [
        b"\x1b",
        b"[",
        b"]",
        b"P",
        b"_G",
        b"O",
        b"\\",
        b"\x07",
        b"?6c",
        b"1;2R",
        b"5;5R",
        b"M",
        b"<35;1;1M",
        b"200~",
        b"\x1b[200~",
        b"\x1b[201~",
        b"text",
        b"\xff\xc3",
        b"\x01",
        b"92;5u",
        b"\x1b[I",
        b"11;rgb:0\x1b\\",
    ];
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for round in 0..3_000 {
        let mut bytes = Vec::new();
        for _ in 0..dice.below(12) {
            bytes.extend_from_slice(PARTS[dice.below(PARTS.len())]);
        }
        // With no detach key, and with one that these bytes don't hold.
        for key in ["", "C-x d"] {
            let whole = cut_for(key, &bytes);
            let mut run = Run::new(key);
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let (read, after) = rest.split_at(1 + dice.below(rest.len()));
                run.feed(read);
                if dice.below(4) == 0 {
                    run.expire();
                }
                rest = after;
            }
            run.expire();
            let out: Vec<u8> = run
                .take()
                .into_iter()
                .flat_map(|piece| match piece {
                    Typed(bytes) | Passive(bytes) | Report(bytes) => bytes,
                    Detach => panic!("nobody pressed it"),
                })
                .collect();
            assert_eq!(out, bytes, "round {round}: {whole:?}");
        }
    }
}

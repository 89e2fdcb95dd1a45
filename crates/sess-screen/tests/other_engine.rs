//! An engine of other people's as the judge: our snapshot, fed to it, shows what
//! the original bytes do. Only what `vt100` knows is generated.

use std::num::NonZero;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use sess_screen::{HOME, NEUTRALISE, Screen, Size};

const COLS: u16 = 20;
const ROWS: u16 = 6;

fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        10 => "[a-z ]{1,30}".prop_map(String::into_bytes),
        5 => Just(b"\r\n".to_vec()),
        1 => Just("漢字é".as_bytes().to_vec()),
        6 => prop::sample::select(vec![
            "\x1b[1m", "\x1b[3m", "\x1b[4m", "\x1b[7m", "\x1b[31m", "\x1b[44m", "\x1b[38;5;99m",
            "\x1b[48;2;1;2;3m", "\x1b[m", "\x1b[22;39m",
        ]).prop_map(|text| text.as_bytes().to_vec()),
        4 => (1_u16..=ROWS, 1_u16..=COLS).prop_map(|(y, x)| format!("\x1b[{y};{x}H").into_bytes()),
        3 => "\x1b\\[[1-3][ABCDLMPX]".prop_map(String::into_bytes),
        2 => "\x1b\\[[0-2]?[JK]".prop_map(String::into_bytes),
    ]
}

fn other(bytes: &[u8]) -> vt100::Parser {
    let nonzero = |n| NonZero::new(n).expect("the constants are not zero");
    let mut parser = vt100::Parser::new(nonzero(ROWS), nonzero(COLS), 0);
    parser.process(bytes);
    parser
}

fn snapshot(screen: &Screen) -> Vec<u8> {
    let mut bytes = [NEUTRALISE, HOME, b"\x1b[2J"].concat();
    for line in screen.history() {
        screen.history_line(line, &mut bytes);
    }
    screen.snapshot(screen.size(), &mut bytes);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig {
        // The same cases in every run.
        rng_seed: RngSeed::Fixed(20_261_120),
        failure_persistence: None,
        ..ProptestConfig::with_cases(400)
    })]

    #[test]
    fn it_sees_the_same_after_the_snapshot(pieces in prop::collection::vec(piece(), 0..50)) {
        let bytes = pieces.concat();
        let mut screen = Screen::new(Size::new(COLS, ROWS), 100);
        screen.feed(&bytes);
        let (theirs, ours) = (other(&bytes), other(&snapshot(&screen)));
        // Where the engines differ about the bytes themselves, it is no judge.
        let shown = |parser: &vt100::Parser| -> Vec<String> {
            parser.screen().rows(0, COLS).map(|row| row.trim_end().to_owned()).collect()
        };
        prop_assume!(shown(&theirs).join("\n").trim_end_matches('\n') == screen.text());
        // It lets the cursor hang behind the last column where xterm takes it back.
        let position = |parser: &vt100::Parser| {
            let (y, x) = parser.screen().cursor_position();
            (y, x.min(COLS - 1))
        };
        let (x, y) = screen.cursor();
        prop_assume!(position(&theirs) == (y, x));
        prop_assert_eq!(shown(&ours), shown(&theirs));
        prop_assert_eq!(position(&ours), position(&theirs));
        for y in 0..ROWS {
            for x in 0..COLS {
                let (one, other) = (ours.screen().cell(y, x), theirs.screen().cell(y, x));
                let (Some(one), Some(other)) = (one, other) else { continue };
                // It erases and scrolls in without colour where we do with.
                if one.has_contents() && one.contents() != " " {
                    prop_assert_eq!(one.bgcolor(), other.bgcolor(), "at {}, {}", x, y);
                    prop_assert_eq!(one.inverse(), other.inverse(), "at {}, {}", x, y);
                    prop_assert_eq!(one.fgcolor(), other.fgcolor(), "at {}, {}", x, y);
                    prop_assert_eq!(one.bold(), other.bold(), "at {}, {}", x, y);
                }
            }
        }
    }
}

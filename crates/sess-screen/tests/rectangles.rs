//! Rectangles, and cells that are protected from erasing.

use sess_screen::{Screen, Size};

/// Eight columns by four rows of letters, then `bytes`.
fn letters(bytes: &str) -> Screen {
    let mut screen = Screen::new(Size::new(10, 5), 10);
    screen.feed(b"abcdefgh\r\nijklmnop\r\nqrstuvwx\r\nyz012345");
    screen.feed(bytes.as_bytes());
    screen
}

fn shown(bytes: &str) -> String {
    letters(bytes).text()
}

#[test]
fn a_rectangle_is_filled_erased_and_copied() {
    assert_eq!(shown("\x1b[37;2;2;3;4$x"), "abcdefgh\ni%%%mnop\nq%%%uvwx\nyz012345");
    assert_eq!(shown("\x1b[2;2;3;4$z"), "abcdefgh\ni   mnop\nq   uvwx\nyz012345");
    assert_eq!(
        shown("\x1b[1;1;2;2;1;2;2;1$v"),
        "abcdefgh\niabl".to_owned() + "mnop\nqijtuvwx\nyz012345"
    );
}

#[test]
fn a_rectangle_the_wrong_way_round_is_none_and_a_large_one_is_cut() {
    assert_eq!(shown("\x1b[3;3;2;2$z"), shown(""));
    assert_eq!(shown("\x1b[4;3;99;99$z"), "abcdefgh\nijklmnop\nqrstuvwx\nyz");
    assert_eq!(shown("\x1b[$z"), "");
}

#[test]
fn origin_mode_moves_rectangles_and_margins_alone_do_not() {
    assert_eq!(shown("\x1b[2;4r\x1b[?6h\x1b[1;1;1;2$z"), "abcdefgh\n  klmnop\nqrstuvwx\nyz012345");
    assert_eq!(shown("\x1b[2;4r\x1b[1;1;1;2$z"), "  cdefgh\nijklmnop\nqrstuvwx\nyz012345");
}

#[test]
fn selective_erasing_spares_what_decsca_protected_and_plain_erasing_does_not() {
    let protected = "\x1b[H\x1b[1\"qAB\x1b[0\"qC";
    assert_eq!(shown(&format!("{protected}\x1b[?2J")), "AB");
    assert_eq!(shown(&format!("{protected}\x1b[1;1H\x1b[?K")).lines().next(), Some("AB"));
    assert_eq!(shown(&format!("{protected}\x1b[1;2;1;9${{")).lines().next(), Some("AB"));
    assert_eq!(shown(&format!("{protected}\x1b[2J")), "");
}

#[test]
fn what_iso_protects_is_spared_by_every_erasing() {
    assert_eq!(shown("\x1b[H\x1bVAB\x1bWC\x1b[2J"), "AB");
    assert_eq!(shown("\x1b[H\x1bVAB\x1bWC\x1b[H\x1b[9X").lines().next(), Some("AB"));
}

#[test]
fn protection_comes_back_and_is_taken_off_again() {
    let original = letters("\x1b[H\x1b[1\"qAB\x1b[0\"q\x1b[2*x");
    let mut bytes = Vec::new();
    original.snapshot(original.size(), &mut bytes);
    let mut copy = Screen::new(original.size(), 10);
    copy.feed(&bytes);
    copy.feed(b"\x1b[?2J");
    assert_eq!(copy.text(), "AB");
    let mut undo = Vec::new();
    letters("\x1b[1\"q").undo(&mut undo);
    assert!(undo.starts_with(b"\x1b[0\"q"), "{}", undo.escape_ascii());
}

#[test]
fn attributes_change_in_a_rectangle_or_along_the_text() {
    let ansi = |bytes: &str| {
        let mut out = Vec::new();
        let screen = letters(bytes);
        screen.snapshot(screen.size(), &mut out);
        String::from_utf8_lossy(&out).into_owned()
    };
    let exact = ansi("\x1b[2*x\x1b[2;2;3;3;7$r");
    assert!(exact.contains("i\x1b[7mjk\x1b[mlmnop\r\nq\x1b[7mrs\x1b[mtuvwx"), "{exact:?}");
    let along = ansi("\x1b[2;3;3;7;1$r");
    assert!(along.contains("ij\x1b[1mklmnop"), "{along:?}");
    assert!(along.contains("qrstuvw\x1b[mx"), "{along:?}");
    let back = ansi("\x1b[2;2;2;3;4$t\x1b[2;2;2;3;4$t");
    assert!(back.contains("ijklmnop"), "{back:?}");
}

#[test]
fn back_and_forward_index_scroll_between_the_margins() {
    assert_eq!(shown("\x1b[1;1H\x1b6").lines().next(), Some(" abcdefgh"));
    assert_eq!(shown("\x1b[1;10H\x1b9").lines().next(), Some("bcdefgh"));
    assert_eq!(letters("\x1b[2;3H\x1b6").cursor(), (1, 1));
    assert_eq!(letters("\x1b[2;3H\x1b9").cursor(), (3, 1));
}

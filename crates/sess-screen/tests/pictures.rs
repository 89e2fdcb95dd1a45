//! What a screen shows as text, ANSI, JSON and HTML.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use sess_screen::{Picture, Screen, Size};

fn screen(bytes: &str) -> Screen {
    let mut screen = Screen::new(Size::new(20, 4), 100);
    screen.feed(bytes.as_bytes());
    screen
}

fn picture(bytes: &str) -> Picture {
    screen(bytes).picture(usize::MAX)
}

fn html(bytes: &str) -> String {
    picture(bytes).html()
}

#[test]
fn text_has_the_history_first_and_soft_wraps_can_be_joined() {
    let long = "0123456789012345678901234";
    assert_eq!(picture(long).text(), "01234567890123456789\n01234\n");
    assert_eq!(picture(long).joined().text(), format!("{long}\n"));
    let many = "1\r\n2\r\n3\r\n4\r\n5\r\n6";
    assert_eq!(picture(many).text(), "1\n2\n3\n4\n5\n6\n");
    assert_eq!(screen(many).picture(1).text(), "2\n3\n4\n5\n6\n");
    assert_eq!(screen(many).picture(0).text(), "3\n4\n5\n6\n");
}

#[test]
fn ansi_has_every_attribute_and_ends_each_line_with_a_reset_pen() {
    let ansi = picture(
        "a\x1b[1;38;5;9mb\x1b[0;4:3;58:2::1:2:3mc\x1b[m\r\n\x1b]8;;http://x\x1b\\l\x1b]8;;\x1b\\",
    );
    assert_eq!(
        String::from_utf8_lossy(&ansi.ansi()),
        "a\x1b[1;91mb\x1b[0;4:3;58:2::1:2:3mc\x1b[m\n\x1b]8;;http://x\x1b\\l\x1b]8;;\x1b\\\n"
    );
}

#[test]
fn ansi_fed_to_a_fresh_screen_shows_the_same() {
    let original = "\x1b[31mred \x1b[44mon blue\x1b[m\r\n漢字 e\u{301}\r\n\x1b[7;9mx\x1b[K";
    let mut copy = Screen::new(Size::new(20, 4), 100);
    copy.feed(b"\x1b[20h");
    copy.feed(&picture(original).ansi());
    for y in 0..3 {
        assert_eq!(copy.row(y).runs, screen(original).row(y).runs, "row {y}");
    }
}

#[test]
fn json_names_what_is_not_default() {
    let json =
        serde_json::to_value(picture("a\x1b[1;38;2;1;2;3mb\x1b[m")).expect("it is plain data");
    assert_eq!(json["size"], serde_json::json!({"cols": 20, "rows": 4}));
    assert_eq!(json["cursor"], serde_json::json!([2, 0]));
    assert_eq!(
        json["lines"],
        serde_json::json!([{"runs": [{"text": "a"}, {"text": "b", "fg": "#010203", "bold": true}]}])
    );
    assert_eq!(json["modes"]["alternate_screen"], serde_json::json!(false));
}

#[test]
fn html_shows_colours_reverse_and_underlines() {
    assert!(html("\x1b[38;5;196mr").contains("<span style=\"color:#ff0000\">r</span>"));
    assert!(html("\x1b[7mr").contains("color:#000000;background:#d3d7cf"));
    assert!(
        html("\x1b[4:3mr").contains("text-decoration-line:underline;text-decoration-style:wavy")
    );
    assert!(html("\x1b[48;5;244mr").contains("background:#808080"));
}

#[test]
fn html_links_only_where_a_page_may_lead() {
    let link = |uri: &str| html(&format!("\x1b]8;;{uri}\x1b\\x\x1b]8;;\x1b\\"));
    assert!(link("https://a/\"onclick='b").contains("<a href=\"https://a/&quot;onclick=&#39;b\""));
    assert!(!link("javascript:alert(1)").contains("<a"));
    assert!(!link(" JavaScript:alert(1)").contains("<a"));
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(20_261_121),
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_text_breaks_out(text in "[<>&\"'a-z\\x1b\\[\\]m;8:/ ]{0,60}") {
        let picture = picture(&text);
        let html = picture.html();
        let inner = html.trim_start_matches(|c| c != '\n').trim_end_matches("</pre>\n");
        let mut rest = inner;
        while let Some(at) = rest.find('<') {
            rest = &rest[at + 1..];
            let ours = ["span style=\"", "/span>", "a href=\"", "/a>"];
            prop_assert!(ours.iter().any(|tag| rest.starts_with(tag)), "{}", html);
        }
        let ansi = picture.ansi();
        prop_assert!(!ansi.iter().any(|byte| *byte < 0x20 && !matches!(byte, b'\n' | 0x1b)));
    }
}

//! Contract 6.1: an attached client gets the program's bytes unchanged and in
//! order, and the program gets what is typed.

use crate::harness::{Sandbox, Terminal, wait_for};

/// A session that says READY, waits for a key, and then shows a file.
fn attach_to_show(sandbox: &Sandbox, bytes: &[u8]) -> Terminal {
    sandbox.write("bytes", bytes);
    sandbox.start_script(
        "work",
        "stty raw -echo; printf READY; head -c 1 >key; cat bytes; head -c 1 >key",
    );
    let terminal = sandbox.terminal().blind().attach("work");
    terminal.wait_for_raw("READY");
    terminal
}

#[track_caller]
fn assert_shown_unchanged(bytes: &[u8]) {
    let sandbox = Sandbox::new();
    let terminal = attach_to_show(&sandbox, bytes);
    let start = terminal.look(|it| it.raw().len());
    terminal.type_bytes("g");
    terminal.wait_until("all bytes", |it| it.raw().len() >= start + bytes.len());
    terminal.look(|it| {
        let shown = &it.raw()[start..];
        let same = shown.iter().zip(bytes).take_while(|(a, b)| a == b).count();
        assert_eq!((same, shown.len()), (bytes.len(), bytes.len()));
    });
}

/// A session that keeps the next `count` bytes of its input.
fn attach_to_type(sandbox: &Sandbox, count: usize) -> Terminal {
    let script = format!("stty raw -echo; printf READY; head -c {count} >typed; printf DONE; cat");
    sandbox.start_script("work", &script);
    let terminal = sandbox.attach("work");
    terminal.wait_for_text("READY");
    terminal
}

#[track_caller]
fn assert_typed_unchanged(bytes: &[u8]) {
    let sandbox = Sandbox::new();
    let terminal = attach_to_type(&sandbox, bytes.len());
    terminal.type_bytes(bytes);
    terminal.wait_for_text("DONE");
    let typed = wait_for("the file", || Some(sandbox.read("typed")).filter(|it| !it.is_empty()));
    let same = typed.iter().zip(bytes).take_while(|(a, b)| a == b).count();
    assert_eq!((same, typed.len()), (bytes.len(), bytes.len()));
}

/// Bytes that look like noise and are the same each time.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(next).take(len).collect()
}

#[test]
fn every_byte_value_is_shown_unchanged() {
    let bytes: Vec<u8> = (0..=255).collect();
    assert_shown_unchanged(&bytes);
}

#[test]
fn five_megabytes_of_noise_are_shown_unchanged_and_in_order() {
    assert_shown_unchanged(&noise(5_000_000));
}

#[test]
fn images_links_clipboard_and_keyboard_protocols_are_shown_unchanged() {
    let mut bytes = Vec::new();
    // Sixel, kitty's and iTerm's images.
    bytes.extend_from_slice(b"\x1bPq\"1;1;8;8#0;2;100;0;0#0~~@@vv@@~~$-\x1b\\");
    bytes.extend_from_slice(b"\x1b_Gf=24,s=1,v=1,a=T;/wAA\x1b\\");
    bytes.extend_from_slice(b"\x1b]1337;File=inline=1:");
    bytes.extend(std::iter::repeat_n(b"QUJD", 50_000).flatten());
    bytes.extend_from_slice(b"\x07");
    // The clipboard, a hyperlink, a notification, true colour, unknown sequences.
    bytes.extend_from_slice(b"\x1b]52;c;aGVsbG8=\x07\x1b]8;id=1;http://x/\x1b\\link\x1b]8;;\x1b\\");
    bytes.extend_from_slice(b"\x1b]9;done\x07\x1b]777;notify;a;b\x1b\\\x1b[38:2::1:2:3mx\x1b[m");
    bytes.extend_from_slice(
        b"\x1b[>1u\x1b[>4;2m\x1b[?9999h\x1b[1;2;3{\x1bPunknown\x1b\\\x1b^pm\x1b\\",
    );
    assert_shown_unchanged(&bytes);
}

#[test]
fn every_byte_value_but_the_detach_key_is_typed_unchanged() {
    let bytes: Vec<u8> = (0..=255).filter(|byte| *byte != 0x1c).collect();
    assert_typed_unchanged(&bytes);
}

#[test]
fn keys_mouse_and_pastes_are_typed_unchanged() {
    let mut bytes = Vec::new();
    for _ in 0..200 {
        bytes
            .extend_from_slice(b"text \xc3\xa4\xf0\x9f\xa6\x80\x1b[A\x1bOP\x1b[1;5C\x1b[3~\x1bx\r");
        bytes.extend_from_slice(b"\x1b[<0;10;5M\x1b[<35;11;5M\x1b[<0;11;5m\x1b[M !!\x1b[I\x1b[O");
        bytes.extend_from_slice(b"\x1b[97;5u\x1b[97;1:3u\x1b[27;5;97~");
        bytes.extend_from_slice(b"\x1b[200~pasted \x1c and \x1b[92;5u\x1b[201~");
    }
    bytes.extend_from_slice(b"end");
    assert_typed_unchanged(&bytes);
}

#[test]
fn a_large_paste_reaches_a_program_that_reads_slowly_unchanged() {
    let bytes: Vec<u8> = noise(400_000).into_iter().map(|byte| b'a' + byte % 26).collect();
    let sandbox = Sandbox::new();
    let script = format!(
        "stty raw -echo; printf READY; i=0; while [ $i -lt 40 ]; do head -c {} >>typed; \
         i=$((i + 1)); done; printf DONE; cat",
        bytes.len() / 40
    );
    sandbox.start_script("work", &script);
    let terminal = sandbox.attach("work");
    terminal.wait_for_text("READY");
    terminal.type_bytes(&bytes);
    terminal.wait_for_text("DONE");
    assert!(sandbox.read("typed") == bytes);
}

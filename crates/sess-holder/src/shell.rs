//! What is typed into a session's shell so that a command runs in it: the shells we
//! know, how they quote, and the marks that tell where the command's output begins
//! and ends. Pure text; must not know of sessions, or of when a shell may be typed
//! into.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The longest line that is typed, in bytes: longer ones are no sight any more.
const LONGEST: usize = 4_000;
/// The longest one for what may be a plain `sh`: busybox, and macOS's terminals
/// where a shell edits no lines itself, drop what is beyond 1,023 bytes.
const LONGEST_POSIX: usize = 1_000;

/// A shell that commands can be typed into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    /// bash.
    Bash,
    /// zsh.
    Zsh,
    /// fish.
    Fish,
    /// A Korn shell as mksh: in it an error in what `eval` runs takes the rest of the
    /// line down, while one in a file doesn't. So it reads every text from a file.
    Ksh,
    /// What else keeps to POSIX.
    Posix,
}

/// How a text is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typing {
    /// What is typed: one line, without the Enter after it. It begins with a space,
    /// which keeps it out of the history of shells that are set so.
    pub line: Vec<u8>,
    /// What the file must hold by then, if the text can't stand in the line.
    pub file: Option<Vec<u8>>,
}

impl Shell {
    /// The shell that this program is, by its file's name; `None` if it is none we
    /// know.
    pub fn of_program(name: &str) -> Option<Self> {
        // A login shell's name begins with a dash.
        let name = name.strip_prefix('-').unwrap_or(name);
        if name == "ksh93" {
            return Some(Self::Posix);
        }
        let version = |c: char| c.is_ascii_digit() || c == '.';
        match name.trim_end_matches(version).trim_end_matches('-') {
            "bash" => Some(Self::Bash),
            "zsh" => Some(Self::Zsh),
            "fish" => Some(Self::Fish),
            "ksh" | "mksh" | "lksh" | "oksh" => Some(Self::Ksh),
            "sh" | "dash" | "ash" | "busybox" | "yash" => Some(Self::Posix),
            _ => None,
        }
    }

    /// Whether a line had better be pasted where the shell wants pastes bracketed, but
    /// for its first space: then no key binding or abbreviation of the user's changes
    /// it on its way. (In fish a pasted first space would be lost.)
    pub fn takes_pastes(self) -> bool {
        matches!(self, Self::Bash | Self::Zsh | Self::Fish)
    }

    /// A command as the shell's text. One word is that text already; of several
    /// each stands for itself, but for a plain first one, which is left bare so
    /// that it may be an alias.
    pub fn text(self, words: &[Vec<u8>]) -> Vec<u8> {
        match words {
            [] => Vec::new(),
            [text] => text.clone(),
            [first, rest @ ..] => {
                let mut text = if is_plain(first) { first.clone() } else { self.word(first) };
                for word in rest {
                    text.push(b' ');
                    text.extend(self.word(word));
                }
                text
            }
        }
    }

    /// How a text is run, its output between the marks of this token. The file is
    /// where the text is to be put if the line can't hold it.
    pub fn line(self, text: &[u8], token: &str, file: &Path) -> Typing {
        if self != Self::Ksh && is_typable(text) {
            let line = self.between_marks("eval", text, token);
            let longest = if self == Self::Posix { LONGEST_POSIX } else { LONGEST };
            if line.len() <= longest {
                return Typing { line, file: None };
            }
        }
        let mut content = text.to_vec();
        if content.last() != Some(&b'\n') {
            content.push(b'\n');
        }
        let source = if self == Self::Fish { "source" } else { "." };
        let line = self.between_marks(source, file.as_os_str().as_bytes(), token);
        Typing { line, file: Some(content) }
    }

    /// The line that gives this to a builtin and prints the marks around its output,
    /// the second one also after a syntax error.
    fn between_marks(self, builtin: &str, argument: &[u8], token: &str) -> Vec<u8> {
        let argument = self.quoted(argument);
        // The marks are put together by `printf` alone: a hook that shows the line as a
        // title, and decodes escapes in it, must not show them.
        let begin = format!(r" printf '\033]%s\007' '7377;{token}'; ");
        let end = format!(r"printf '\033]%s;%s\007' '7377;{token}' ");
        let (before, after) = match self {
            Self::Bash => (format!("{begin}{builtin} "), format!("; {end}$?")),
            Self::Fish => (format!("{begin}{builtin} "), format!("; {end}$status")),
            // Also after `return`, Ctrl-C and errors that take down a whole line.
            Self::Zsh => (
                format!("{begin}{{ {builtin} "),
                // Some options end braces only after a `;`.
                format!("; }} always {{ {end}$?; }}"),
            ),
            // An error in a special builtin takes down the whole line, unless it is
            // called like this.
            Self::Ksh | Self::Posix => (format!("{begin}command {builtin} "), format!("; {end}$?")),
        };
        [before.as_bytes(), &argument, after.as_bytes()].concat()
    }

    /// A word that stands for itself. It is going to be quoted once more, so single
    /// quotes are avoided where others do.
    fn word(self, word: &[u8]) -> Vec<u8> {
        if word.iter().any(|byte| b"\"\\$`!".contains(byte)) {
            self.quoted(word)
        } else {
            [b"\"", word, b"\""].concat()
        }
    }

    /// In single quotes, between which no shell expands anything, not even its
    /// history.
    fn quoted(self, bytes: &[u8]) -> Vec<u8> {
        let mut quoted = vec![b'\''];
        for &byte in bytes {
            match (self, byte) {
                (Self::Fish, b'\'' | b'\\') => quoted.extend([b'\\', byte]),
                (_, b'\'') => quoted.extend(br"'\''"),
                _ => quoted.push(byte),
            }
        }
        quoted.push(b'\'');
        quoted
    }
}

/// Whether a command's name means nothing but itself to any shell.
fn is_plain(word: &[u8]) -> bool {
    let first = |byte: &u8| byte.is_ascii_alphanumeric() || b"_./".contains(byte);
    word.first().is_some_and(first)
        && word.iter().all(|byte| first(byte) || b"+-:,@".contains(byte))
}

/// Whether a line editor takes these bytes as text and nothing else.
fn is_typable(text: &[u8]) -> bool {
    str::from_utf8(text).is_ok_and(|text| !text.contains(char::is_control))
}

/// What the shell prints before the output.
pub fn begin_mark(token: &str) -> Vec<u8> {
    format!("\x1b]7377;{token}\x07").into_bytes()
}

/// What the shell prints after the output, up to the status that a BEL ends.
pub fn end_mark(token: &str) -> Vec<u8> {
    format!("\x1b]7377;{token};").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "/run/user/1000/sess/x/run-T";

    fn words(words: &[&str]) -> Vec<Vec<u8>> {
        words.iter().map(|word| word.as_bytes().to_vec()).collect()
    }

    fn text(shell: Shell, of: &[&str]) -> String {
        String::from_utf8(shell.text(&words(of))).unwrap()
    }

    fn typing(shell: Shell, text: &[u8]) -> (String, Option<Vec<u8>>) {
        let typing = shell.line(text, "T", Path::new(FILE));
        (String::from_utf8(typing.line).unwrap(), typing.file)
    }

    fn line(shell: Shell, text: &str) -> String {
        let (line, file) = typing(shell, text.as_bytes());
        assert_eq!(file, None);
        line
    }

    #[test]
    fn a_shell_is_known_by_its_files_name() {
        for (name, shell) in [
            ("bash", Some(Shell::Bash)),
            ("bash-5.2", Some(Shell::Bash)),
            ("-bash", Some(Shell::Bash)),
            ("zsh", Some(Shell::Zsh)),
            ("zsh-5.9", Some(Shell::Zsh)),
            ("zsh5", Some(Shell::Zsh)),
            ("-zsh", Some(Shell::Zsh)),
            ("fish", Some(Shell::Fish)),
            ("sh", Some(Shell::Posix)),
            ("dash", Some(Shell::Posix)),
            ("ash", Some(Shell::Posix)),
            ("busybox", Some(Shell::Posix)),
            ("ksh93", Some(Shell::Posix)),
            ("yash", Some(Shell::Posix)),
            ("ksh", Some(Shell::Ksh)),
            ("mksh", Some(Shell::Ksh)),
            ("", None),
            ("5.9", None),
            ("tcsh", None),
            ("nu", None),
            ("python3", None),
            ("bashful", None),
            ("/bin/bash", None),
        ] {
            assert_eq!(Shell::of_program(name), shell, "{name}");
        }
    }

    #[test]
    fn one_word_is_the_shells_own_text() {
        assert_eq!(text(Shell::Bash, &["ls | wc -l; echo 'a b'"]), "ls | wc -l; echo 'a b'");
        assert_eq!(text(Shell::Fish, &[""]), "");
        assert_eq!(text(Shell::Zsh, &[]), "");
    }

    #[test]
    fn each_of_several_words_stands_for_itself() {
        for (of, expected) in [
            (&["git", "commit", "-m", "it is done"][..], r#"git "commit" "-m" "it is done""#),
            (&["echo", ""], r#"echo """#),
            (&["echo", "*", "~", "#x", "it's"], r##"echo "*" "~" "#x" "it's""##),
            (&["echo", "$HOME", "`x`", "hi!"], "echo '$HOME' '`x`' 'hi!'"),
            (&["echo", r"\", r#""'""#], r#"echo '\' '"'\''"'"#),
            (&["./a-b+c_1.sh", "x"], r#"./a-b+c_1.sh "x""#),
            (&["/opt/a b", "x"], r#""/opt/a b" "x""#),
            (&["A=1", "x"], r#""A=1" "x""#),
            (&["~/x", "x"], r#""~/x" "x""#),
            (&["-", "x"], r#""-" "x""#),
            (&["", "x"], r#""" "x""#),
            (&["größe", "x"], r#""größe" "x""#),
        ] {
            assert_eq!(text(Shell::Bash, of), expected);
        }
    }

    #[test]
    fn fish_has_escapes_in_single_quotes() {
        assert_eq!(text(Shell::Fish, &["echo", r"\n", "$'"]), r"echo '\\n' '$\''");
    }

    #[test]
    fn words_need_not_be_text() {
        let words = [b"echo".to_vec(), b"\xff".to_vec(), b"\xfe$".to_vec()];
        assert_eq!(Shell::Posix.text(&words), b"echo \"\xff\" '\xfe$'");
    }

    #[test]
    fn the_line_of_each_shell_puts_the_text_between_marks() {
        let begin = r" printf '\033]%s\007' '7377;T'; ";
        for (shell, rest) in [
            (Shell::Bash, r"eval 'ls'; printf '\033]%s;%s\007' '7377;T' $?"),
            (Shell::Zsh, r"{ eval 'ls'; } always { printf '\033]%s;%s\007' '7377;T' $?; }"),
            (Shell::Fish, r"eval 'ls'; printf '\033]%s;%s\007' '7377;T' $status"),
            (Shell::Posix, r"command eval 'ls'; printf '\033]%s;%s\007' '7377;T' $?"),
        ] {
            assert_eq!(line(shell, "ls"), format!("{begin}{rest}"));
        }
    }

    #[test]
    fn a_text_is_quoted_as_its_shell_does() {
        assert!(line(Shell::Bash, r"echo 'a\b'").contains(r" eval 'echo '\''a\b'\''';"));
        assert!(line(Shell::Fish, r"echo 'a\b'").contains(r" eval 'echo \'a\\b\'';"));
        assert!(line(Shell::Zsh, "echo größe!").contains(" eval 'echo größe!';"));
        assert!(line(Shell::Posix, "").contains(" eval '';"));
    }

    #[test]
    fn what_cant_be_typed_is_read_from_a_file() {
        for text in [&b"a\nb"[..], b"a\tb", b"a\x1b", b"a\x7f", b"a\xff", "a\u{85}".as_bytes()] {
            for (shell, read) in [
                (Shell::Bash, format!("; . '{FILE}'; printf ")),
                (Shell::Zsh, format!("; {{ . '{FILE}'; }} always {{ printf ")),
                (Shell::Fish, format!("; source '{FILE}'; printf ")),
                (Shell::Ksh, format!("; command . '{FILE}'; printf ")),
                (Shell::Posix, format!("; command . '{FILE}'; printf ")),
            ] {
                let (line, file) = typing(shell, text);
                assert!(line.contains(&read), "{line}");
                assert_eq!(file, Some([text, b"\n"].concat()));
            }
        }
        assert_eq!(typing(Shell::Bash, b"a\nb\n").1, Some(b"a\nb\n".to_vec()));
    }

    #[test]
    fn the_files_path_is_quoted() {
        let typing = Shell::Bash.line(b"\t", "T", Path::new("/a b/it's"));
        let line = String::from_utf8(typing.line).unwrap();
        assert!(line.contains(r"; . '/a b/it'\''s'; "), "{line}");
    }

    #[test]
    fn a_line_that_gets_too_long_is_read_from_a_file() {
        for (shell, longest) in [(Shell::Bash, LONGEST), (Shell::Posix, LONGEST_POSIX)] {
            let spare = longest - line(shell, "").len();
            assert_eq!(line(shell, &"x".repeat(spare)).len(), longest);
            assert!(typing(shell, "x".repeat(spare + 1).as_bytes()).1.is_some());
            // Quotes count as what becomes of them.
            assert!(typing(shell, "'".repeat(spare / 2).as_bytes()).1.is_some());
        }
    }

    #[test]
    fn some_korn_shells_read_everything_from_a_file() {
        let (line, file) = typing(Shell::Ksh, b"ls");
        assert!(line.contains(" . '"), "{line}");
        assert_eq!(file, Some(b"ls\n".to_vec()));
    }

    #[test]
    fn a_line_holds_no_mark_itself() {
        // Else its echo would be taken for one.
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::Ksh, Shell::Posix] {
            let typing = shell.line(b"ls", "T", Path::new(FILE));
            assert!(typing.line.starts_with(b" "));
            assert!(!typing.line.contains(&0x1b));
            assert!(!typing.line.contains(&b'\n'));
        }
        assert_eq!(begin_mark("T"), b"\x1b]7377;T\x07");
        assert_eq!(end_mark("T"), b"\x1b]7377;T;");
    }
}

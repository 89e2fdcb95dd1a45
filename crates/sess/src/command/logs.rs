//! `sess logs`.

use anyhow::Result;
use sess_proto::HolderMessage;
use sess_proto::message::Follow;

use crate::cli::LogsArgs;
use crate::connection::Connection;
use crate::directory::{self, Directory};
use crate::error::Failure;
use crate::lines::Lines;
use crate::lookup::{self, ended_meanwhile};
use crate::output::{self, Outlet, Page, State, last_lines, note_skipped, whole_characters};
use crate::output_loop::{Reader, pass_on};
use crate::shown::{Shown, recorded, shown};
use crate::survey::Sighting;

/// A piece of the output without gaps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Segment {
    /// The offset of its first byte.
    offset: u64,
    bytes: Vec<u8>,
}

impl Segment {
    fn end(&self) -> u64 {
        self.offset + self.bytes.len() as u64
    }
}

pub(super) fn run(args: &LogsArgs) -> Result<u8> {
    let directories = directory::all()?;
    let mut sighting = lookup::find_or_only(&directories, args.name.as_ref())?;
    let mut outlet = Outlet::new()?;
    let is_plain = !args.raw && !args.json && args.since.is_none() && args.limit.is_none();
    let mut teller = if is_plain {
        let shown = shown(&directories, &sighting, u64::MAX)?;
        Teller::of_shown(shown, args, goes_on(args, &sighting), &mut outlet)
    } else {
        let segments = match present(&directories, &sighting, args) {
            Ok(segments) => segments,
            Err(error) => {
                sighting = ended_meanwhile(&directories, &sighting, error)?;
                present(&directories, &sighting, args)?
            }
        };
        Teller::of_bytes(segments, &sighting, args, &mut outlet)
    };
    let goes_on = goes_on(args, &sighting);
    let followed = if goes_on {
        follow(&directories, &sighting, args, &mut teller, &mut outlet)
    } else {
        Ok(())
    };
    teller.finish(goes_on, &mut outlet);
    outlet.drain()?;
    followed.map(|()| 0)
}

/// Whether more is to be told than there is.
fn goes_on(args: &LogsArgs, sighting: &Sighting) -> bool {
    args.follow && !sighting.state.is_over()
}

/// The output that there is, as it was asked for.
fn present(
    directories: &[Directory],
    sighting: &Sighting,
    args: &LogsArgs,
) -> Result<Vec<Segment>> {
    if sighting.state.is_over() {
        return Ok(vec![kept(directories, sighting, args.since, args.limit)?]);
    }
    sighting.must_run()?;
    let mut connection = Connection::open(&sighting.folder(directories)?, sighting.name.as_str())?;
    connection.send(Follow { since: args.since, limit: args.limit, follow: false })?;
    let mut segments: Vec<Segment> = Vec::new();
    connection.receive_late(None, |message| match message {
        HolderMessage::At(at) => {
            segments.push(Segment { offset: at.offset, bytes: Vec::new() });
            None
        }
        HolderMessage::Output(bytes) => {
            if let Some(last) = segments.last_mut() {
                last.bytes.extend_from_slice(bytes);
            }
            None
        }
        HolderMessage::Done(_) | HolderMessage::Exited(_) => Some(()),
        _ => None,
    })?;
    Ok(segments)
}

/// The same of a session that has ended, from its record.
fn kept(
    directories: &[Directory],
    sighting: &Sighting,
    since: Option<u64>,
    limit: Option<u64>,
) -> Result<Segment> {
    let output = recorded(directories, sighting)?;
    Ok(cut(&Segment { offset: output.from, bytes: output.raw }, since, limit))
}

/// What lies from one offset on within a limit.
fn cut(all: &Segment, since: Option<u64>, limit: Option<u64>) -> Segment {
    let offset = since.unwrap_or(0).max(all.offset);
    let from = usize::try_from(offset - all.offset).unwrap_or(usize::MAX).min(all.bytes.len());
    let rest = &all.bytes[from..];
    let count = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    Segment { offset, bytes: rest[..rest.len().min(count)].to_vec() }
}

/// Goes on from where the teller is, until the session ends.
fn follow(
    directories: &[Directory],
    sighting: &Sighting,
    args: &LogsArgs,
    teller: &mut Teller,
    outlet: &mut Outlet,
) -> Result<()> {
    let limit = args.limit.map(|limit| limit.saturating_sub(teller.told));
    if limit == Some(0) {
        return Ok(());
    }
    let (since, name) = (Some(teller.at), sighting.name.as_str());
    let followed = sighting.folder(directories).and_then(|folder| {
        let mut connection = Connection::open(&folder, name)?;
        connection.send(Follow { since, limit, follow: true })?;
        pass_on(&mut connection, outlet, None, Reader::Only, |message, outlet| {
            match message {
                HolderMessage::At(at) => teller.go_to(at.offset, outlet),
                HolderMessage::Output(bytes) => teller.take(bytes, outlet),
                HolderMessage::Done(_) | HolderMessage::Exited(_) => return Ok(Some(())),
                _ => {}
            }
            Ok(None)
        })
    });
    match followed {
        Ok(_) => Ok(()),
        Err(error) => {
            let now = ended_meanwhile(directories, sighting, error)?;
            let rest = args.limit.map(|limit| limit.saturating_sub(teller.told));
            let segment = kept(directories, &now, Some(teller.at), rest)?;
            teller.go_to(segment.offset, outlet);
            teller.take(&segment.bytes, outlet);
            if now.state == State::Exited { Ok(()) } else { Err(Failure::dead(name).into()) }
        }
    }
}

/// In which form output is told.
enum Form {
    Text(Box<Lines>),
    Raw,
    /// With the beginning of a character whose end is still to come.
    Json(Vec<u8>),
}

/// Tells output, piece by piece, and what is missing of it.
struct Teller {
    form: Form,
    /// The offset of the next byte.
    at: u64,
    /// Bytes taken so far.
    told: u64,
    /// What was asked for and came before the next piece is no longer kept.
    truncated: bool,
    /// Nothing more is told: that belongs to another page.
    is_full: bool,
}

impl Teller {
    /// One for lines, which has told what a session shows.
    fn of_shown(shown: Shown, args: &LogsArgs, goes_on: bool, outlet: &mut Outlet) -> Self {
        let mut text = String::new();
        let mut lines = None;
        if goes_on {
            let mut over = Lines::over(shown.screen);
            over.tell(&mut text);
            lines = Some(over);
        } else {
            text = shown.screen.picture(usize::MAX).joined().text();
            // The cursor's line, with nothing in it yet, is no line of the output.
            if text.ends_with("\n\n") || text == "\n" {
                text.pop();
            }
        }
        let from = args.lines.map_or(0, |count| last_lines(text.as_bytes(), count).0);
        outlet.push(&text.as_bytes()[from..]);
        let form = lines.map_or(Form::Raw, |lines| Form::Text(Box::new(lines)));
        Self { form, at: shown.offset, told: 0, truncated: false, is_full: false }
    }

    /// One that has told these pieces.
    fn of_bytes(
        mut segments: Vec<Segment>,
        sighting: &Sighting,
        args: &LogsArgs,
        outlet: &mut Outlet,
    ) -> Self {
        let form = if args.raw {
            Form::Raw
        } else if args.json {
            Form::Json(Vec::new())
        } else {
            let (cols, rows) = size(sighting);
            Form::Text(Box::new(Lines::new(cols, rows)))
        };
        let asked = args.since.unwrap_or(0);
        let mut teller = Self { form, at: asked, told: 0, truncated: false, is_full: false };
        let first = segments.first().map_or(asked, |segment| segment.offset);
        if args.since.is_none() || args.lines.is_some() {
            // Not missed: it is only as far back as there is anything.
            teller.at = first;
            teller.truncated = first > asked;
        }
        if let Some(count) = args.lines {
            if let Form::Text(lines) = &mut teller.form {
                let mut text = String::new();
                for segment in &segments {
                    lines.feed(&segment.bytes, &mut text);
                }
                if !goes_on(args, sighting) {
                    lines.finish(&mut text);
                }
                outlet.push(&text.as_bytes()[last_lines(text.as_bytes(), count).0..]);
                teller.at = segments.last().map_or(first, Segment::end);
                return teller;
            }
            let mut last = segments.pop().unwrap_or_default();
            let (from, enough) = last_lines(&last.bytes, count);
            last.bytes.drain(..from);
            last.offset += from as u64;
            teller.at = last.offset;
            teller.truncated = !enough && last.offset > asked;
            segments = vec![last];
        }
        for segment in segments {
            teller.go_to(segment.offset, outlet);
            teller.take(&segment.bytes, outlet);
            // One page has no gaps in it.
            teller.is_full = args.json && !goes_on(args, sighting);
        }
        teller
    }

    /// The next byte is that of this offset: what is missing before it is told.
    fn go_to(&mut self, offset: u64, outlet: &mut Outlet) {
        if self.is_full || offset == self.at {
            return;
        }
        let skipped = offset.saturating_sub(self.at);
        match &mut self.form {
            Form::Text(lines) => {
                let mut text = String::new();
                lines.interrupt(&mut text);
                outlet.push(text.as_bytes());
            }
            Form::Raw => {}
            Form::Json(_) => {
                self.give_up_character(outlet);
                self.truncated |= skipped > 0;
            }
        }
        self.at = offset;
        if skipped > 0 && !matches!(self.form, Form::Json(_)) {
            note_skipped(skipped);
        }
    }

    fn take(&mut self, bytes: &[u8], outlet: &mut Outlet) {
        if self.is_full || bytes.is_empty() {
            return;
        }
        self.at += bytes.len() as u64;
        self.told += bytes.len() as u64;
        match &mut self.form {
            Form::Text(lines) => {
                let mut text = String::new();
                lines.feed(bytes, &mut text);
                outlet.push(text.as_bytes());
            }
            Form::Raw => outlet.push(bytes),
            Form::Json(cut) => {
                cut.extend_from_slice(bytes);
                let all = std::mem::take(cut);
                let (whole, rest) = all.split_at(whole_characters(&all));
                *cut = rest.to_vec();
                if !whole.is_empty() {
                    self.tell_page(self.at - all.len() as u64, whole, outlet);
                }
            }
        }
    }

    fn tell_page(&mut self, offset: u64, bytes: &[u8], outlet: &mut Outlet) {
        let page = Page::new(offset, bytes, std::mem::take(&mut self.truncated));
        outlet.push(output::json(&page).as_bytes());
    }

    /// Half a character is told as it is.
    fn give_up_character(&mut self, outlet: &mut Outlet) {
        if let Form::Json(cut) = &mut self.form {
            let cut = std::mem::take(cut);
            if !cut.is_empty() {
                self.tell_page(self.at - cut.len() as u64, &cut, outlet);
            }
        }
    }

    /// Nothing more comes.
    fn finish(mut self, follows: bool, outlet: &mut Outlet) {
        match &mut self.form {
            Form::Text(lines) => {
                let mut text = String::new();
                lines.finish(&mut text);
                outlet.push(text.as_bytes());
            }
            Form::Raw => {}
            Form::Json(_) if follows => self.give_up_character(outlet),
            Form::Json(cut) => {
                // A page there is in any case. One of half a character alone would
                // lead nowhere if it were left for the next.
                let cut = std::mem::take(cut);
                let is_all = cut.len() as u64 == self.told;
                if is_all {
                    self.tell_page(self.at - cut.len() as u64, &cut, outlet);
                }
            }
        }
    }
}

fn size(sighting: &Sighting) -> (u16, u16) {
    let live = sighting.info.as_ref().map(|info| (info.size.cols, info.size.rows));
    let latest = sighting.record.latest.as_ref().map(|latest| latest.size);
    live.or(latest).unwrap_or((80, 24))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(offset: u64, bytes: &str) -> Segment {
        Segment { offset, bytes: bytes.as_bytes().to_vec() }
    }

    fn args(words: &[&str]) -> LogsArgs {
        let words = ["sess", "logs"].iter().chain(words).map(|word| (*word).into());
        match crate::cli::parse(words) {
            Ok(crate::cli::Cli { command: Some(crate::cli::Command::Logs(args)) }) => args,
            other => panic!("{other:?}"),
        }
    }

    fn sighting(state: State) -> Sighting {
        let name = sess_proto::SessionName::new("work").unwrap();
        Sighting::over(name, 0, state, sess_holder::record::Record::default())
    }

    /// What is told of these pieces, and of those that follow if any do.
    fn told(words: &[&str], there: &[(u64, &str)], following: &[(u64, &str)]) -> String {
        let args = args(words);
        let sighting = sighting(State::Running);
        let mut outlet = Outlet::to_nowhere();
        let there = there.iter().map(|(offset, bytes)| segment(*offset, bytes)).collect();
        let mut teller = Teller::of_bytes(there, &sighting, &args, &mut outlet);
        for (offset, bytes) in following {
            teller.go_to(*offset, &mut outlet);
            teller.take(bytes.as_bytes(), &mut outlet);
        }
        teller.finish(args.follow, &mut outlet);
        outlet.text().to_owned()
    }

    #[test]
    fn a_page_is_one_object_whatever_there_is() {
        let page = |offset, next, data: &str, truncated| {
            format!(
                "{{\"offset\":{offset},\"next\":{next},\"data\":\"{data}\",\
                 \"truncated\":{truncated}}}\n"
            )
        };
        assert_eq!(told(&["--json"], &[(0, "ab")], &[]), page(0, 2, "ab", false));
        assert_eq!(told(&["--json"], &[(0, "")], &[]), page(0, 0, "", false));
        assert_eq!(told(&["--json"], &[(7, "ab")], &[]), page(7, 9, "ab", true));
        let since = ["--json", "--since", "5"];
        assert_eq!(told(&since, &[(5, "ab")], &[]), page(5, 7, "ab", false));
        assert_eq!(told(&since, &[(8, "")], &[]), page(8, 8, "", true));
        // What follows a gap is for the next page.
        assert_eq!(told(&since, &[(5, "ab"), (20, "c")], &[]), page(5, 7, "ab", false));
        assert_eq!(told(&["--json", "-n", "1"], &[(0, "a\nb")], &[]), page(2, 3, "b", false));
        assert_eq!(told(&["--json", "-n", "2"], &[(5, "b")], &[]), page(5, 6, "b", true));
    }

    #[test]
    fn a_character_that_is_cut_is_for_the_next_page() {
        let args = args(&["--json", "--limit", "2"]);
        let told = |bytes: &[u8]| {
            let mut outlet = Outlet::to_nowhere();
            let there = vec![Segment { offset: 0, bytes: bytes.to_vec() }];
            let running = sighting(State::Running);
            Teller::of_bytes(there, &running, &args, &mut outlet).finish(false, &mut outlet);
            outlet.text().to_owned()
        };
        assert!(told(b"a\xc3").starts_with(r#"{"offset":0,"next":1,"data":"a","#));
        // Unless there is nothing else on this one.
        assert!(told(b"\xc3").starts_with(r#"{"offset":0,"next":1,"data_base64":"ww==","#));
    }

    #[test]
    fn pieces_that_follow_are_an_object_each_and_gaps_are_told() {
        let all = told(&["--json", "-f"], &[(0, "a")], &[(1, "b"), (9, "c"), (10, "d")]);
        let pieces: Vec<serde_json::Value> =
            all.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let shown = |piece: &serde_json::Value| {
            format!(
                "{} {} {} {}",
                piece["offset"], piece["next"], piece["data"], piece["truncated"]
            )
        };
        let pieces: Vec<String> = pieces.iter().map(shown).collect();
        assert_eq!(
            pieces,
            ["0 1 \"a\" false", "1 2 \"b\" false", "9 10 \"c\" true", "10 11 \"d\" false"]
        );
    }

    #[test]
    fn lines_and_bytes_go_on_behind_gaps() {
        assert_eq!(told(&["--raw", "-f"], &[(0, "a\r\n")], &[(9, "b")]), "a\r\nb");
        let text = ["--since", "0", "-f"];
        assert_eq!(told(&text, &[(0, "a\r\nb")], &[(9, "c\r\nd")]), "a\nb\nc\nd");
        let last = ["--since", "0", "-n", "1"];
        assert_eq!(told(&last, &[(0, "a\r\nb\r\n")], &[]), "b\n");
        assert_eq!(told(&["--raw", "-n", "1", "-f"], &[(0, "a\nb\n")], &[(4, "c")]), "b\nc");
        assert_eq!(told(&["--raw", "-n", "0"], &[(0, "a\nb\n")], &[]), "");
    }

    #[test]
    fn what_is_shown_already_comes_first() {
        let shown = |bytes: &[u8]| {
            let mut screen = sess_screen::Screen::new(sess_screen::Size::new(20, 5), 1000);
            screen.feed(bytes);
            Shown { screen, offset: 40 }
        };
        let told = |words: &[&str], bytes: &[u8], more: &[u8]| {
            let args = args(words);
            let mut outlet = Outlet::to_nowhere();
            let mut teller = Teller::of_shown(shown(bytes), &args, args.follow, &mut outlet);
            teller.go_to(40, &mut outlet);
            teller.take(more, &mut outlet);
            teller.finish(args.follow, &mut outlet);
            outlet.text().to_owned()
        };
        assert_eq!(told(&[], b"1\r\n2\r\n3\r\n", b""), "1\n2\n3\n");
        assert_eq!(told(&["-n", "2"], b"1\r\n2\r\n$ ", b""), "2\n$\n");
        assert_eq!(told(&["-n", "1", "-f"], b"1\r\n2\r\n$ ", b"x\r\n"), "2\n$ x\n");
        assert_eq!(told(&[], b"", b""), "");
    }

    #[test]
    fn of_what_is_kept_only_what_was_asked_for_is_taken() {
        let all = segment(10, "abcdef");
        assert_eq!(cut(&all, None, None), all);
        assert_eq!(cut(&all, Some(3), None), all);
        assert_eq!(cut(&all, Some(12), Some(2)), segment(12, "cd"));
        assert_eq!(cut(&all, Some(16), None), segment(16, ""));
        assert_eq!(cut(&all, Some(99), Some(5)), segment(99, ""));
    }
}

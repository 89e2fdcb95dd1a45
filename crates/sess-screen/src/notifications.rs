//! Notifications that programs ask the terminal for: OSC 9 (iTerm2's), OSC 777
//! (rxvt's) and OSC 99 (kitty's, in several parts). It knows nothing of who shows
//! them.

use std::collections::VecDeque;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use crate::screen::Screen;
use crate::titles::{LONGEST_TITLE, cleaned};

/// Of more that nobody takes the oldest are dropped, of unfinished ones as well.
const MOST: usize = 16;
/// What is kept of a text that comes in parts: its control characters go at the end.
const LONGEST_PAYLOAD: usize = 4 * LONGEST_TITLE;
/// Programs differ in whether they pad.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a program wants its user told: texts without control characters, each of at
/// most 1 KiB. Either may be empty, but not both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// What it is about.
    pub title: String,
    /// What it says.
    pub body: String,
}

/// Those that were not taken yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notifications {
    complete: VecDeque<Notification>,
    unfinished: VecDeque<Unfinished>,
}

/// One of kitty's of which more parts follow.
#[derive(Clone, Debug, Default)]
struct Unfinished {
    id: Vec<u8>,
    title: Vec<u8>,
    body: Vec<u8>,
}

impl Screen {
    /// The notifications asked for since the last call. Bounded: if nobody takes them,
    /// the oldest are dropped.
    pub fn take_notifications(&mut self) -> Vec<Notification> {
        std::mem::take(&mut self.notifications.complete).into()
    }
}

impl Notifications {
    /// OSC `number`, which is one of the three.
    pub(crate) fn add(&mut self, number: u16, rest: &[u8]) {
        match number {
            9 if !is_conemu(rest) => self.push(b"", rest),
            777 => {
                let mut fields = rest.splitn(3, |&byte| byte == b';');
                if fields.next() == Some(b"notify") {
                    let title = fields.next().unwrap_or_default();
                    self.push(title, fields.next().unwrap_or_default());
                }
            }
            99 => self.add_part(rest),
            _ => {}
        }
    }

    fn push(&mut self, title: &[u8], body: &[u8]) {
        let notification = Notification { title: cleaned(title), body: cleaned(body) };
        if notification.title.is_empty() && notification.body.is_empty() {
            return;
        }
        if self.complete.len() == MOST {
            self.complete.pop_front();
        }
        self.complete.push_back(notification);
    }

    /// `metadata ; payload`, the metadata `key=value` with `:` between.
    fn add_part(&mut self, rest: &[u8]) {
        let Some(at) = memchr::memchr(b';', rest) else { return };
        let (metadata, payload) = (&rest[..at], &rest[at + 1..]);
        let value = |key: u8| {
            let mut pairs = metadata.split(|&byte| byte == b':');
            pairs.find_map(|pair| pair.strip_prefix(&[key, b'=']))
        };
        let kind = value(b'p').unwrap_or(b"title");
        let id = value(b'i').unwrap_or_default();
        let id = &id[..id.len().min(LONGEST_TITLE)];
        let known = self.unfinished.iter().position(|one| one.id == id);
        let mut one = match (kind, known) {
            (b"title" | b"body", None) => Unfinished { id: id.to_vec(), ..Unfinished::default() },
            // What else belongs to one may come last.
            (b"title" | b"body" | b"icon" | b"buttons", Some(known)) => {
                self.unfinished.remove(known).unwrap_or_default()
            }
            _ => return,
        };
        let decoded = (value(b'e') == Some(b"1")).then(|| BASE64.decode(payload));
        let payload = match &decoded {
            Some(decoded) => decoded.as_deref().unwrap_or_default(),
            None => payload,
        };
        let text = match kind {
            b"title" => Some(&mut one.title),
            b"body" => Some(&mut one.body),
            _ => None,
        };
        if let Some(text) = text {
            let room = LONGEST_PAYLOAD.saturating_sub(text.len());
            text.extend_from_slice(&payload[..payload.len().min(room)]);
        }
        if value(b'd') != Some(b"0") {
            self.push(&one.title, &one.body);
            return;
        }
        if self.unfinished.len() == MOST {
            self.unfinished.pop_front();
        }
        self.unfinished.push_back(one);
    }
}

/// Whether the rest of an OSC 9 is one of `ConEmu`'s commands, which are numbered:
/// `4;1;50` for progress, or `12`.
fn is_conemu(rest: &[u8]) -> bool {
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = std::str::from_utf8(&rest[..digits]).ok().and_then(|n| n.parse::<u8>().ok());
    match rest.get(digits) {
        Some(b';') => (1..=2).contains(&digits),
        Some(_) => false,
        None => number.is_some_and(|number| (1..=12).contains(&number)),
    }
}

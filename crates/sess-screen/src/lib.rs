//! A terminal model that can say its whole state.
//!
//! [`Screen`] takes the bytes that a program writes to its terminal and knows at
//! any time what that terminal shows and which state it is in: both screens, the
//! history, the cursor, modes, colours, titles, even half an escape sequence. It
//! says all of it as bytes that bring another terminal there ([`NEUTRALISE`],
//! [`Screen::history_line`], [`Screen::snapshot`]) and those that take it off
//! again ([`Screen::undo`]), and answers what programs ask ([`Reply`]).
//!
//! The crate is pure: no input or output, no clock, no unsafe code. It owns the
//! meaning of escape sequences; it knows nothing of sessions, sockets or who is
//! attached.

mod size;

mod backlog;
mod feed;
mod input;
mod params;
mod tally;

mod screen;

mod dispatch;
mod edit;
mod motion;
mod print;
mod rectangle;
mod reflow;
mod resize;
mod switch;

mod cell;
mod charset;
mod chunk;
mod extent;
mod grid;
mod history;
mod interned;
mod keyboard;
mod marks;
mod modes;
mod notifications;
mod palette;
mod pen;
mod row;
mod sgr;
mod style;
mod styled_line;
mod tabs;
mod titles;

mod paint;
mod picture;
mod recall;
mod replies;
mod snapshot;
mod undo;
mod view;
mod watch;

pub use marks::{Mark, ShellState};
pub use modes::Modes;
pub use notifications::Notification;
pub use picture::Picture;
pub use replies::{QueryKind, Reply};
pub use screen::Screen;
pub use size::Size;
pub use snapshot::{HOME, INTERRUPT, NEUTRALISE};
pub use view::{Cells, Line, Look, Paint, Run, Underline};
pub use watch::WrittenLine;

//! Who answers the program's questions: the holder, or which terminal.
//!
//! Contract 6.3. A question belongs to who led when its bytes were handed on;
//! only from there an answer is let through. Knows nothing of sockets, time or
//! how a question looks.

use std::collections::VecDeque;

use sess_screen::QueryKind;

use crate::client::ClientId;

/// Questions remembered at most; older ones are taken for never answered.
const OPEN_LIMIT: usize = 64;

/// A question that a client's terminal has to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Question {
    to: ClientId,
    kind: QueryKind,
    /// Just behind its last byte.
    offset: u64,
    /// What the holder would have said; empty if it doesn't know.
    answer: Vec<u8>,
    /// The program that asked has ended: nobody wants the answer.
    is_moot: bool,
}

/// Whose question a terminal has answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The program's.
    ByProgram,
    /// One's that has ended since.
    ByAnother,
    /// Nobody's.
    Never,
}

/// Who answers, and what is still to be answered.
#[derive(Debug, Default)]
pub struct Duty {
    on: Option<ClientId>,
    open: VecDeque<Question>,
}

impl Duty {
    /// The client whose terminal answers from here on; `None` is the holder.
    pub fn on(&self) -> Option<ClientId> {
        self.on
    }

    /// Hands the duty over. The screen must have seen all output before, so that
    /// every question of it belongs to who was on duty.
    pub fn pass(&mut self, to: Option<ClientId>) {
        self.on = to;
    }

    /// A question of the program's: returns what the holder has to say to it.
    pub fn asked(&mut self, offset: u64, kind: QueryKind, answer: Vec<u8>) -> Option<Vec<u8>> {
        let Some(to) = self.on else {
            return (!answer.is_empty()).then_some(answer);
        };
        if self.open.len() == OPEN_LIMIT {
            self.open.pop_front();
        }
        self.open.push_back(Question { to, kind, offset, answer, is_moot: false });
        None
    }

    /// The program has ended: what it asked is no question of the next one's.
    pub fn lose_program(&mut self) {
        self.open.iter_mut().for_each(|q| q.is_moot = true);
    }

    /// A client's terminal has answered a question of this kind: whose.
    pub fn answered(&mut self, by: ClientId, kind: QueryKind) -> Asked {
        let Some(found) = self.open.iter().position(|q| q.to == by && q.kind == kind) else {
            return Asked::Never;
        };
        let asked = if self.open[found].is_moot { Asked::ByAnother } else { Asked::ByProgram };
        // A terminal answers in order: what was asked before will get no answer.
        let mut index = 0;
        self.open.retain(|q| {
            index += 1;
            q.to != by || index > found + 1
        });
        asked
    }

    /// How many answers of a client may still be under way.
    pub fn owed(&self, by: ClientId) -> usize {
        self.open.iter().filter(|q| q.to == by).count()
    }

    /// A client no longer counts as there: what the holder has to say to the
    /// questions that its terminal, having taken the output up to `taken`,
    /// can't have seen.
    pub fn abandon(&mut self, client: ClientId, taken: u64) -> Vec<Vec<u8>> {
        let mut answers = Vec::new();
        self.open.retain_mut(|q| {
            if q.to != client {
                return true;
            }
            if q.offset > taken && !q.answer.is_empty() && !q.is_moot {
                answers.push(std::mem::take(&mut q.answer));
            }
            false
        });
        answers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: ClientId = ClientId(1);
    const B: ClientId = ClientId(2);

    #[test]
    fn with_nobody_there_the_holder_answers() {
        let mut duty = Duty::default();
        let answer = duty.asked(10, QueryKind::PrimaryAttributes, b"yes".to_vec());
        assert_eq!(answer.as_deref(), Some(&b"yes"[..]));
        assert_eq!(duty.asked(20, QueryKind::Version, Vec::new()), None);
    }

    #[test]
    fn only_who_led_when_the_question_went_out_answers() {
        let mut duty = Duty::default();
        duty.pass(Some(A));
        assert_eq!(duty.asked(10, QueryKind::PrimaryAttributes, b"x".to_vec()), None);
        duty.pass(Some(B));
        assert_eq!(duty.answered(B, QueryKind::PrimaryAttributes), Asked::Never);
        assert_eq!(duty.answered(A, QueryKind::PrimaryAttributes), Asked::ByProgram);
        assert_eq!(duty.answered(A, QueryKind::PrimaryAttributes), Asked::Never, "once");
    }

    #[test]
    fn what_a_program_asked_that_has_ended_is_answered_to_nobody() {
        let mut duty = Duty::default();
        duty.pass(Some(A));
        duty.asked(1, QueryKind::PrimaryAttributes, b"x".to_vec());
        duty.lose_program();
        duty.asked(2, QueryKind::PrimaryAttributes, b"y".to_vec());
        assert_eq!(duty.answered(A, QueryKind::PrimaryAttributes), Asked::ByAnother);
        assert_eq!(duty.answered(A, QueryKind::PrimaryAttributes), Asked::ByProgram);
        duty.asked(3, QueryKind::Status, b"z".to_vec());
        duty.lose_program();
        assert!(duty.abandon(A, 0).is_empty());
    }

    #[test]
    fn an_answer_settles_what_was_asked_before() {
        let mut duty = Duty::default();
        duty.pass(Some(A));
        duty.asked(1, QueryKind::KittyKeyboard, Vec::new());
        duty.asked(2, QueryKind::PrimaryAttributes, Vec::new());
        duty.asked(3, QueryKind::Version, Vec::new());
        assert_eq!(duty.owed(A), 3);
        assert_eq!(duty.answered(A, QueryKind::PrimaryAttributes), Asked::ByProgram);
        assert_eq!(duty.owed(A), 1);
    }

    #[test]
    fn what_a_lost_terminal_has_not_seen_the_holder_answers() {
        let mut duty = Duty::default();
        duty.pass(Some(A));
        duty.asked(1, QueryKind::Status, b"seen".to_vec());
        duty.asked(9, QueryKind::Status, b"unseen".to_vec());
        assert_eq!(duty.abandon(A, 5), vec![b"unseen".to_vec()]);
        assert_eq!(duty.owed(A), 0);
    }
}

//! Time in which nobody could do anything is nobody's fault.

use super::runs::run;
use super::*;

impl World {
    /// As `pass`, but the holder could do nothing meanwhile.
    fn held_up(&mut self, ticks: u64) {
        self.ticks += ticks;
        self.session.at(Now { ticks: self.ticks, wall: self.ticks });
        self.session.held_up(ticks);
        self.session.tick();
        self.settle();
    }

    /// Whoever paces the program does so until it has had its second.
    fn assert_paced_on(&mut self) {
        let most = 10 * JOURNAL;
        assert!(self.program_floods(most) < most);
        self.held_up(5 * STALL);
        assert!(self.program_floods(most) < most);
        self.pass(STALL);
        assert!(self.program_floods(most) >= most);
    }
}

#[test]
fn the_leader_paces_the_program_on() {
    let mut world = World::new();
    world.attach(A);
    world.assert_paced_on();
}

#[test]
fn a_run_paces_the_program_on() {
    let mut world = World::with_prompt();
    world.runs(A, run("yes"));
    world.program_says(b"\x1b]7377;t0\x07");
    world.assert_paced_on();
}

#[test]
fn who_is_excused_in_time_paces_the_program_on() {
    let mut world = World::with_prompt();
    world.runs(A, run("yes"));
    world.program_says(b"\x1b]7377;t0\x07");
    let most = 10 * JOURNAL;
    assert!(world.program_floods(most) < most);
    for _ in 0..5 {
        world.ticks += STALL;
        world.session.at(Now { ticks: world.ticks, wall: world.ticks });
        assert_eq!(world.session.overdue(), [A]);
        world.session.excuse(A, STALL);
        assert!(world.session.overdue().is_empty());
        world.session.tick();
        assert!(world.program_floods(most) < most);
    }
    world.pass(STALL);
    assert!(world.session.overdue().is_empty(), "it is no longer waited for");
    assert!(world.program_floods(most) >= most);
    world.got_from_run(A);
    assert!(world.program_floods(most) < most, "it takes something again");
}

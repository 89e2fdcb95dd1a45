//! Time in which the holder could do nothing is nobody's fault.

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
}

#[test]
fn the_leader_paces_the_program_on() {
    let mut world = World::new();
    world.attach(A);
    let most = 10 * JOURNAL;
    assert!(world.program_floods(most) < most);
    world.held_up(5 * STALL);
    assert!(world.program_floods(most) < most);
    world.pass(STALL);
    assert!(world.program_floods(most) >= most);
}

#[test]
fn a_run_paces_the_program_on() {
    let mut world = World::with_prompt();
    world.runs(A, run("yes"));
    world.program_says(b"\x1b]7377;t0\x07");
    let most = 10 * JOURNAL;
    assert!(world.program_floods(most) < most);
    world.held_up(5 * STALL);
    assert!(world.program_floods(most) < most);
    world.pass(STALL);
    assert!(world.program_floods(most) >= most);
}

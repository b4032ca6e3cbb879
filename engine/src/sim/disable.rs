//! Steps that take a pending item away from where it is to do something else with it: `mod_delayed`, `disable`, `enable`.

use super::cpus::ThreadIx;
use super::machine::Machine;
use wq_trace::{What, WqCounter};

impl Machine<'_> {
    /// Queues the item after `delay`, whether it was idle, on its timer or on a list. Kernel: `mod_delayed_work()`.
    pub(super) fn mod_delayed(&mut self, actor: ThreadIx, item: usize, delay: u64) {
        self.grab(actor, item);
        if self.items[item].depth() > 0 {
            self.refuse(item, WqCounter::RefusedDisabled);
            self.release(item);
            return;
        }
        self.insert_after(actor, item, delay);
    }

    /// Takes the item back and refuses its queueings from now on. Kernel: `disable_work()`, `disable_delayed_work()`.
    pub(super) fn disable(&mut self, actor: ThreadIx, item: usize) {
        self.grab(actor, item);
        self.items[item].deeper();
        let depth = self.items[item].depth();
        self.tell(actor, item, What::DisableWork { depth });
        self.release(item);
    }

    /// Takes one disabling back. One that is too many leaves the depth at 0 and takes a pending instance away: its
    /// function will not run. Kernel: `enable_work()`.
    pub(super) fn enable(&mut self, actor: ThreadIx, item: usize) {
        self.grab(actor, item);
        self.items[item].shallower();
        let depth = self.items[item].depth();
        self.tell(actor, item, What::EnableWork { depth });
        self.release(item);
    }

    fn tell(&mut self, actor: ThreadIx, item: usize, what: What) {
        self.actor = actor;
        self.emit(self.subject(item).event(self.now, what));
    }
}

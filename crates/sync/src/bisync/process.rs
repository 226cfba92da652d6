//! Whether a process that wrote its name somewhere is still there. Only Linux tells; elsewhere it is
//! not known.

/// A process of one machine, boot and name space of process numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Process {
    /// Where its number means something; empty where nothing is known.
    pub(crate) place: String,
    pub(crate) number: u32,
    /// When it started, in ticks since the boot: numbers are used again.
    pub(crate) started: u64,
}

impl Process {
    /// This one.
    pub(crate) fn own() -> Self {
        let number = std::process::id();
        Self {
            place: place().unwrap_or_default(),
            number,
            started: started(number).unwrap_or(0),
        }
    }

    /// Whether it is known to have ended.
    pub(crate) fn is_dead(&self) -> bool {
        let own_place = place().unwrap_or_default();
        let is_near = !own_place.is_empty() && own_place == self.place;
        is_near && started(self.number) != Some(self.started)
    }
}

fn place() -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let space = std::fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{}/{}", boot.trim(), space.to_str()?))
}

/// When a process started; `None` when it is not there, or dead and not yet buried.
fn started(number: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
    // The name in parentheses may hold anything.
    let mut fields = stat.get(stat.rfind(')')? + 1..)?.split_whitespace();
    let is_dead = matches!(fields.next()?, "Z" | "X");
    let started = fields.nth(18)?.parse().ok()?;
    (!is_dead).then_some(started)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn tells_the_living_from_the_dead() {
        let mut earlier = Process::own();
        assert!(earlier.started > 0 && !earlier.is_dead());
        earlier.started -= 1;
        assert!(earlier.is_dead(), "the number was used again");
        let mut elsewhere = earlier;
        elsewhere.place.push('x');
        assert!(!elsewhere.is_dead(), "nothing is known of it");
    }
}

//! Asking before each change.

use std::collections::HashMap;
use std::io::{self, BufRead, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use omnistorage::async_trait;
use omnistorage::sync::{Action, Answer, Confirm, Confirmation};

use crate::escape;

/// Asks on standard error, and reads the answers from standard input.
pub(crate) fn on_terminal() -> Confirmation {
    Confirmation::new(Arc::new(Terminal::default()))
}

#[derive(Debug, Default)]
struct Terminal {
    /// Answers that hold for all actions of a kind.
    settled: Mutex<HashMap<&'static str, Answer>>,
}

#[async_trait]
impl Confirm for Terminal {
    async fn confirm(&self, action: &Action) -> Answer {
        let verb = action.verb();
        if let Some(answer) = self.settled().get(verb) {
            return *answer;
        }
        let question = format!("omni: {action}? y yes, n no, s skip all, ! do all, q quit: ");
        let reply = tokio::task::spawn_blocking(move || ask(&question)).await;
        let (answer, for_all) = reply.unwrap_or((Answer::Quit, false));
        if for_all {
            self.settled().insert(verb, answer);
        }
        answer
    }
}

impl Terminal {
    /// A panic under the lock leaves the answers whole.
    fn settled(&self) -> MutexGuard<'_, HashMap<&'static str, Answer>> {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The answer, and whether it holds for all actions of the kind. The end of the input is a `q`.
fn ask(question: &str) -> (Answer, bool) {
    loop {
        let mut line = String::new();
        let asked = write!(io::stderr(), "{}", escape::line(question));
        match asked.and_then(|()| io::stdin().lock().read_line(&mut line)) {
            Ok(0) | Err(_) => return (Answer::Quit, false),
            Ok(_) => {}
        }
        match line.trim() {
            "y" => return (Answer::Yes, false),
            "n" => return (Answer::No, false),
            "s" => return (Answer::No, true),
            "!" => return (Answer::Yes, true),
            "q" => return (Answer::Quit, false),
            _ => {}
        }
    }
}

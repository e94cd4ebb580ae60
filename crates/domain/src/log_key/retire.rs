//! «This key signs no more.»

use uuid::Uuid;

use super::{Event, LogKeys, Refusal};
use crate::aggregate::{Command, Context, Home};
use crate::id::LogId;
use crate::policy::Permission;
use crate::text::{Phrase, Reason};

/// Retires a key. A retired one stays retired; the last one stays.
#[derive(Clone, Debug)]
pub struct RetireLogKey {
    /// Of which log.
    pub log: LogId,
    /// The public key, as signed notes write it.
    pub key: Phrase,
    /// Why.
    pub reason: Reason,
}

impl Command for RetireLogKey {
    type On = LogKeys;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::KeepLogKeys;

    fn target(&self) -> Uuid {
        self.log.0
    }

    fn home(&self, _: &LogKeys) -> Home {
        Home::House
    }

    fn decide(&self, log: &LogKeys, _: &Context) -> Result<Vec<Event>, Refusal> {
        match log.keys.get(self.key.as_str()) {
            None => return Err(Refusal::Unknown),
            Some(false) => return Ok(vec![]),
            Some(true) => (),
        }
        if log.keys.values().filter(|signs| **signs).count() < 2 {
            return Err(Refusal::Last);
        }
        let (key, reason) = (self.key.clone(), self.reason.clone().into());
        Ok(vec![Event::KeyRetired { key, reason }])
    }
}

#[cfg(test)]
mod tests {
    use super::super::AddLogKey;
    use super::*;
    use crate::testing::{ctx, decide_from, phrase, reason};

    #[test]
    fn a_log_keeps_a_key_and_a_retired_one_does_not_come_back() {
        let log = Uuid::from_u128(7).into();
        let add = |word| AddLogKey { log, key: phrase(word) };
        let retire = |word| RetireLogKey { log, key: phrase(word), reason: reason("old") };
        let mut past = decide_from(&[], &add("one"), &ctx()).unwrap_or_default();
        assert_eq!(decide_from(&past, &add("one"), &ctx()), Ok(vec![]));
        assert_eq!(decide_from(&past, &retire("one"), &ctx()), Err(Refusal::Last));
        past.extend(decide_from(&past, &add("two"), &ctx()).unwrap_or_default());
        past.extend(decide_from(&past, &retire("one"), &ctx()).unwrap_or_default());
        assert_eq!(past.len(), 3);
        assert_eq!(decide_from(&past, &retire("one"), &ctx()), Ok(vec![]));
        assert_eq!(decide_from(&past, &add("one"), &ctx()), Err(Refusal::Retired));
        assert_eq!(decide_from(&past, &retire("three"), &ctx()), Err(Refusal::Unknown));
    }
}

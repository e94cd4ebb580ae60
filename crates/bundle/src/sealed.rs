//! Sealed values in a fact's JSON: every text that stands under the name `sealed`, at any depth.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// The sealed values of a JSON text, in their order; none where it is no JSON.
pub(crate) fn sealed_values(data: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    let mut reader = serde_json::Deserializer::from_str(data);
    Finder { found: &mut found, named: false }.deserialize(&mut reader).ok()?;
    reader.end().ok()?;
    Some(found)
}

/// Walks a JSON value; `named` says that it stands under the name `sealed`.
struct Finder<'a> {
    found: &'a mut Vec<String>,
    named: bool,
}

impl<'de> DeserializeSeed<'de> for Finder<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Finder<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        if self.named {
            self.found.push(text.to_owned());
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Finder { found: self.found, named: false })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        while let Some(name) = fields.next_key::<String>()? {
            let named = name == "sealed";
            fields.next_value_seed(Finder { found: self.found, named })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sealed_value_is_found_and_nothing_else() {
        let data = r#"{"a":{"sealed":"one"},"b":[{"sealed" : "tw\u006f"},{"sealed":1},"sealed"],
            "c":"{\"sealed\":\"no\"}","sealed":{"sealed":"three"},"d":[null,true,1.5,-1]}"#;
        assert_eq!(sealed_values(data).unwrap(), ["one", "two", "three"]);
        assert_eq!(sealed_values("{} x"), None);
        assert_eq!(sealed_values("nonsense"), None);
    }
}

//! Reading DER strictly: one value after another, nothing left over, and a name for what could not be read.

use ::der::asn1::{AnyRef, ObjectIdentifier};
use ::der::{Decode as _, Reader as _, SliceReader, Tag, TagNumber, Tagged as _};

use crate::TimestampError;

type Result<T> = std::result::Result<T, TimestampError>;

/// The tag `[number]` around whole values (explicit, or an implicit SET or SEQUENCE).
pub(crate) const fn around(number: u32) -> Tag {
    Tag::ContextSpecific { constructed: true, number: TagNumber(number) }
}

/// The tag `[number]` in the place of a simple type's own.
pub(crate) const fn instead(number: u32) -> Tag {
    Tag::ContextSpecific { constructed: false, number: TagNumber(number) }
}

/// One value: tag, length and content.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Value<'a> {
    /// All of it, as it stands in the input.
    pub(crate) raw: &'a [u8],
    pub(crate) tag: Tag,
    pub(crate) content: &'a [u8],
    /// What this belongs to, for the error.
    what: &'static str,
}

impl<'a> Value<'a> {
    /// The one value that fills `bytes`.
    pub(crate) fn whole(bytes: &'a [u8], what: &'static str) -> Result<Self> {
        let mut fields = Fields::new(bytes, what)?;
        let value = fields.any()?;
        fields.end()?;
        Ok(value)
    }

    /// This value, if it has the tag.
    pub(crate) fn must(self, tag: Tag) -> Result<Self> {
        if self.tag == tag { Ok(self) } else { Err(self.malformed()) }
    }

    /// What is inside, to be read one by one.
    pub(crate) fn fields(self, what: &'static str) -> Result<Fields<'a>> {
        Fields::new(self.content, what)
    }

    /// The one value inside an explicit tag.
    pub(crate) fn inner(self, tag: Tag) -> Result<Self> {
        Value::whole(self.content, self.what)?.must(tag)
    }

    pub(crate) fn oid(self) -> Result<ObjectIdentifier> {
        self.must(Tag::ObjectIdentifier)?;
        ObjectIdentifier::from_bytes(self.content).map_err(|_| self.malformed())
    }

    /// The content as a natural number: big-endian, no leading zeros except for zero itself, never negative.
    /// The tag is the caller's to check, so that implicit tags can be read.
    pub(crate) fn natural(self) -> Result<&'a [u8]> {
        match self.content {
            [] => Err(self.malformed()),
            [0] => Ok(self.content),
            [0, next, ..] if *next < 0x80 => Err(self.malformed()),
            [0, rest @ ..] => Ok(rest),
            [first, ..] if *first >= 0x80 => Err(self.malformed()),
            _ => Ok(self.content),
        }
    }

    /// A natural number below 2³².
    pub(crate) fn small(self) -> Result<u32> {
        let add = |sum: u32, byte: &u8| sum.checked_mul(256)?.checked_add(u32::from(*byte));
        self.natural()?.iter().try_fold(0, add).ok_or_else(|| self.malformed())
    }

    pub(crate) fn boolean(self) -> Result<bool> {
        match self.content {
            [0xff] => Ok(true),
            [0x00] => Ok(false),
            _ => Err(self.malformed()),
        }
    }

    pub(crate) fn malformed(self) -> TimestampError {
        TimestampError::Malformed(self.what)
    }
}

/// The values inside another, in order.
#[derive(Debug, Clone)]
pub(crate) struct Fields<'a> {
    reader: SliceReader<'a>,
    what: &'static str,
}

impl<'a> Fields<'a> {
    fn new(bytes: &'a [u8], what: &'static str) -> Result<Self> {
        let reader = SliceReader::new(bytes).map_err(|_| TimestampError::Malformed(what))?;
        Ok(Self { reader, what })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.reader.is_finished()
    }

    /// The next value, whatever it is.
    pub(crate) fn any(&mut self) -> Result<Value<'a>> {
        let malformed = |_| TimestampError::Malformed(self.what);
        let raw = self.reader.tlv_bytes().map_err(malformed)?;
        let any = AnyRef::from_der(raw).map_err(malformed)?;
        Ok(Value { raw, tag: any.tag(), content: any.value(), what: self.what })
    }

    /// The next value, which must have the tag.
    pub(crate) fn next(&mut self, tag: Tag) -> Result<Value<'a>> {
        self.any()?.must(tag)
    }

    /// The next value if it has the tag; else it stays.
    pub(crate) fn maybe(&mut self, tag: Tag) -> Result<Option<Value<'a>>> {
        if self.is_empty() {
            return Ok(None);
        }
        let mut ahead = self.clone();
        let value = ahead.any()?;
        if value.tag != tag {
            return Ok(None);
        }
        *self = ahead;
        Ok(Some(value))
    }

    /// All that is left, each with the tag.
    pub(crate) fn rest(mut self, tag: Tag) -> Result<Vec<Value<'a>>> {
        let mut values = Vec::new();
        while !self.is_empty() {
            values.push(self.next(tag)?);
        }
        Ok(values)
    }

    /// Nothing may be left.
    pub(crate) fn end(self) -> Result<()> {
        if self.is_empty() { Ok(()) } else { Err(TimestampError::Trailing(self.what)) }
    }
}

#[cfg(test)]
mod tests {
    use super::Value;

    fn small(hexadecimal: &str) -> Option<u32> {
        let bytes = hex::decode(hexadecimal).unwrap();
        Value::whole(&bytes, "a number").and_then(Value::small).ok()
    }

    #[test]
    fn numbers_are_read_only_as_der_writes_them() {
        assert_eq!(small("020100"), Some(0));
        assert_eq!(small("02020080"), Some(128));
        assert_eq!(small("020500ffffffff"), Some(u32::MAX));
        // Empty, padded, negative, too big, with a long form of length, cut, with something behind.
        let wrong =
            ["0200", "0202007f", "020180", "02050100000000", "02810101", "0202", "02010100"];
        for wrong in wrong {
            assert_eq!(small(wrong), None, "{wrong}");
        }
    }
}

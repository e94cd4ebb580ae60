//! Attribution: who says that who says it, from the publisher inwards to the origin.

use serde::{Deserialize, Serialize};

use crate::id::SourceId;
use crate::text::{Label, Name, Phrase, Reason, ValueError};

/// How many links a chain may have.
pub(crate) const LINKS_MAX: usize = 8;

/// How many people stand behind an unnamed holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Number {
    /// One.
    One,
    /// A few.
    Some,
    /// Many.
    Many,
    /// Not said.
    Unknown,
}

/// Who holds a statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "is", rename_all = "snake_case", deny_unknown_fields)]
pub enum Holder {
    /// The text itself: its outlet or author, named or not.
    Narrator,
    /// A source of the registry.
    Source {
        /// Which one.
        source: SourceId,
    },
    /// A person with a name.
    Named {
        /// The name as it stood.
        name: Name,
    },
    /// A group, a force, a state, an outlet by name or by an umbrella label.
    Group {
        /// The name as it stood.
        name: Name,
    },
    /// Somebody who is described and not named.
    Unnamed {
        /// The description as it stood ("local sources").
        description: Name,
        /// How many there are.
        number: Number,
    },
    /// The sentence does not let us know who.
    Unrecoverable {
        /// Why.
        reason: Reason,
    },
}

/// What a holder does with a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// States it.
    Asserts,
    /// Claims it.
    Claims,
    /// Reports it.
    Reports,
    /// Says it.
    Says,
    /// Denies it.
    Denies,
    /// Admits it.
    Acknowledges,
    /// Announces it.
    Proclaims,
    /// Saw it.
    Saw,
    /// Judges it.
    Evaluates,
    /// Condemns it.
    Condemns,
    /// Foretells it.
    Predicts,
    /// Asks for it.
    Appeals,
    /// Writes it under a picture or a film.
    Captions,
}

/// How directly the words come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Directness {
    /// Told by the text in its own voice.
    Narration,
    /// Indirect speech.
    Indirect,
    /// In quotation marks.
    DirectQuote,
    /// Free indirect speech: whose voice it is shows only by context.
    FreeIndirect,
    /// In the passive, the speaker left out.
    Passive,
    /// A caption.
    Caption,
    /// A quoted block without quotation marks.
    BlockQuoteUnmarked,
}

/// How certain it is that the attribution reaches this far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "is", rename_all = "snake_case", deny_unknown_fields)]
pub enum Scope {
    /// The text says so.
    #[default]
    Explicit,
    /// The analyst concludes it.
    Inferred {
        /// From what.
        basis: Reason,
    },
    /// It can be read in several ways.
    Ambiguous {
        /// In which ways, 2–8.
        alternatives: Vec<Phrase>,
    },
}

/// One link: a holder, on a side, doing something with the statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ChainLink {
    /// Who.
    pub holder: Holder,
    /// On which side of the dispute, as the case names its sides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<Label>,
    /// Does what.
    pub act: Act,
    /// How directly.
    pub directness: Directness,
    /// The verb as it stood.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verb: Option<Phrase>,
    /// How certain the attribution is.
    #[serde(default, skip_serializing_if = "is_explicit")]
    pub scope: Scope,
}

fn is_explicit(scope: &Scope) -> bool {
    *scope == Scope::Explicit
}

/// A chain of attribution, publisher first, origin last; never empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<ChainLink>", into = "Vec<ChainLink>")]
pub struct Chain {
    outer: Vec<ChainLink>,
    origin: ChainLink,
}

#[cfg(feature = "schema")]
impl utoipa::PartialSchema for Chain {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        let link = utoipa::openapi::Ref::from_schema_name("ChainLink");
        let links = utoipa::openapi::ArrayBuilder::new().items(link);
        let links = links.min_items(Some(1)).max_items(Some(LINKS_MAX));
        links.description(Some("Who says that who says it, publisher first, origin last.")).into()
    }
}

#[cfg(feature = "schema")]
impl utoipa::ToSchema for Chain {
    fn schemas(schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::Schema>)>) {
        schemas.push(("ChainLink".to_owned(), <ChainLink as utoipa::PartialSchema>::schema()));
        <ChainLink as utoipa::ToSchema>::schemas(schemas);
    }
}

impl Chain {
    /// The innermost link: whose statement it is in the end.
    pub const fn origin(&self) -> &ChainLink {
        &self.origin
    }

    /// The outermost link: who tells us.
    pub fn publisher(&self) -> &ChainLink {
        self.outer.first().unwrap_or(&self.origin)
    }

    /// How many links it has, at least 1.
    pub fn len(&self) -> usize {
        self.outer.len().saturating_add(1)
    }

    /// Never: a chain has a holder.
    pub const fn is_empty(&self) -> bool {
        false
    }

    /// From the publisher inwards.
    pub fn links(&self) -> impl Iterator<Item = &ChainLink> {
        self.outer.iter().chain(std::iter::once(&self.origin))
    }
}

impl TryFrom<Vec<ChainLink>> for Chain {
    type Error = ValueError;
    fn try_from(mut outer: Vec<ChainLink>) -> Result<Self, ValueError> {
        if outer.len() > LINKS_MAX {
            return Err(ValueError::new("chain_too_long", format!("at most {LINKS_MAX} links")));
        }
        for link in &outer {
            if let Scope::Ambiguous { alternatives } = &link.scope
                && !(2..=8).contains(&alternatives.len())
            {
                return Err(ValueError::new(
                    "scope_alternatives",
                    "an ambiguity has 2 to 8 readings",
                ));
            }
        }
        let origin = outer.pop();
        let origin =
            origin.ok_or_else(|| ValueError::new("chain_empty", "a chain has a holder"))?;
        Ok(Self { outer, origin })
    }
}

impl From<Chain> for Vec<ChainLink> {
    fn from(chain: Chain) -> Self {
        let mut links = chain.outer;
        links.push(chain.origin);
        links
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_without_a_holder_is_refused() {
        assert_eq!(Chain::try_from(vec![]).map_err(|e| e.code), Err("chain_empty"));
        let error = serde_json::from_str::<Chain>("[]").map_err(|e| e.to_string());
        assert!(error.is_err_and(|e| e.starts_with("chain_empty:")));
    }

    #[test]
    fn the_origin_is_the_last_link() -> serde_json::Result<()> {
        let json = r#"[{"holder":{"is":"narrator"},"act":"asserts","directness":"narration"},{"holder":{"is":"unnamed","description":"a military official","number":"one"},"side":"government","act":"denies","directness":"indirect"}]"#;
        let chain: Chain = serde_json::from_str(json)?;
        assert_eq!(chain.origin().act, Act::Denies);
        assert_eq!(serde_json::to_string(&chain)?, json);
        Ok(())
    }
}

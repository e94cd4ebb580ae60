//! How an aggregate lists what may stand in the way: one line a refusal, with its stable code and kind.

/// Declares an aggregate's `Refusal`: `Variant = Kind, "code", "words";` a line.
macro_rules! refusals {
    ($($variant:ident = $kind:ident, $code:literal, $words:literal;)*) => {
        /// What may stand in the way; every variant has a stable code.
        #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
        pub enum Refusal {
            $(#[doc = $words] #[error($words)] $variant,)*
            /// A value breaks its own law.
            #[error("{}", .0.detail)]
            Value(crate::text::ValueError),
            /// A refusal with the field to blame.
            #[error("{refusal}")]
            At {
                /// Why.
                refusal: Box<Self>,
                /// The field, as a JSON pointer into the request.
                pointer: String,
            },
        }

        impl Refusal {
            /// The same, blaming a field of the request.
            #[must_use]
            pub fn at(self, pointer: impl Into<String>) -> Self {
                Self::At { refusal: Box::new(self), pointer: pointer.into() }
            }
        }

        impl From<crate::text::ValueError> for Refusal {
            fn from(error: crate::text::ValueError) -> Self {
                Self::Value(error)
            }
        }

        impl crate::aggregate::Refusal for Refusal {
            fn code(&self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)*
                    Self::Value(error) => error.code,
                    Self::At { refusal, .. } => refusal.code(),
                }
            }

            fn kind(&self) -> crate::aggregate::RefusalKind {
                use crate::aggregate::RefusalKind;
                match self {
                    $(Self::$variant => RefusalKind::$kind,)*
                    Self::Value(_) => RefusalKind::Invalid,
                    Self::At { refusal, .. } => refusal.kind(),
                }
            }

            fn pointer(&self) -> Option<String> {
                match self {
                    $(Self::$variant)|* | Self::Value(_) => None,
                    Self::At { pointer, .. } => Some(pointer.clone()),
                }
            }
        }
    };
}

pub(crate) use refusals;

//! Places as sources give them: a name or an ad-hoc feature, its relation to others, and how precise that is.

use serde::{Deserialize, Serialize};

use crate::text::{Name, Phrase, ValueError};

/// How a place stands to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RelationKind {
    /// At it.
    At,
    /// In it.
    In,
    /// Near it.
    Near,
    /// On one side of it ("the west side of the salient").
    SideOf,
    /// In a direction from it ("north of").
    DirectionOf,
    /// At a distance from it ("2 km from").
    DistanceFrom,
}

/// A relation to another place, in the source's words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Relation {
    /// How it stands.
    pub kind: RelationKind,
    /// To what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Name>,
    /// The words of the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verbatim: Option<Phrase>,
    /// The distance in metres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distance_m: Option<f64>,
}

/// How precise a place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PrecisionCode {
    /// The point itself.
    Exact,
    /// Around a known point, up to 25 km.
    Near,
    /// A town or village.
    Locality,
    /// The third administrative level.
    Adm3,
    /// The second administrative level (district).
    Adm2,
    /// The first administrative level (province).
    Adm1,
    /// A line or a fuzzy area: a river, a front.
    Linear,
    /// A country.
    Country,
    /// Not known.
    Unknown,
}

/// A precision with its radius and the scheme it was mapped from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Precision {
    /// The code.
    pub code: PrecisionCode,
    /// The radius in metres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub radius_m: Option<f64>,
    /// Where the code was mapped from (`ucdp:where_prec=3`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<Phrase>,
}

/// Where something is said to have happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct FuzzyPlace {
    /// Its name as the source gives it.
    pub name: Name,
    /// Whether it is a feature of the day (a salient, a front), not of a gazetteer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ad_hoc: bool,
    /// How it stands to another place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relation: Option<Relation>,
    /// Latitude in degrees, WGS 84.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latitude: Option<f64>,
    /// Longitude in degrees, WGS 84.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longitude: Option<f64>,
    /// How precise it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<Precision>,
    /// One of several, named as an example ("such as").
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exemplar: bool,
}

impl FuzzyPlace {
    /// A place by its name alone.
    pub fn named(name: Name) -> Self {
        Self {
            name,
            ad_hoc: false,
            relation: None,
            latitude: None,
            longitude: None,
            precision: None,
            exemplar: false,
        }
    }

    /// Refuses coordinates off the globe, half a coordinate, and negative distances.
    pub fn check(&self) -> Result<(), ValueError> {
        let (latitude, longitude) = (self.latitude, self.longitude);
        if latitude.is_some() != longitude.is_some() {
            return Err(ValueError::new(
                "place_half_coordinate",
                "give both `latitude` and `longitude`",
            ));
        }
        if latitude.is_some_and(|d| !(-90.0..=90.0).contains(&d))
            || longitude.is_some_and(|d| !(-180.0..=180.0).contains(&d))
        {
            return Err(ValueError::new(
                "place_off_globe",
                "latitude is -90 to 90, longitude -180 to 180",
            ));
        }
        let distance = self.relation.as_ref().and_then(|r| r.distance_m);
        let radius = self.precision.as_ref().and_then(|p| p.radius_m);
        if [distance, radius].into_iter().flatten().any(|m| !(0.0..=40_100_000.0).contains(&m)) {
            return Err(ValueError::new("place_distance_invalid", "metres, 0 to 40,100,000"));
        }
        Ok(())
    }
}

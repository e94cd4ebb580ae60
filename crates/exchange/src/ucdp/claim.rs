//! The claim of a row: when, where, who and how many, each with the precision the row has.

use assay_domain::claim::{ClaimKind, Participant, Proposition, Role, Who};
use assay_domain::text::{Name, Phrase, Reason, ValueError};
use assay_domain::value::{
    Act, CasualtyStatus, Chain, ChainLink, Directness, Edtf, Form, FuzzyPlace, FuzzyTime, Hedge,
    HedgeLevel, Holder, Polarity, Precision, PrecisionCode, Quantity, Relation, RelationKind,
    Scope, Stance,
};

use super::row::Seen;
use super::text::Said;
use crate::error::LineError;
use crate::item::{AssertionItem, ClaimItem, Key};

/// Around a known point, as the codebook has it.
const NEAR_RADIUS_M: f64 = 25_000.0;

pub(crate) fn of(seen: &Seen, said: &Said, key: Key, line: u64) -> Result<ClaimItem, LineError> {
    let wrong = |error: ValueError| LineError::value(line, "", &error);
    let proposition = Proposition {
        gist: gist(seen).map_err(wrong)?,
        polarity: Polarity::Affirmed,
        participants: [&seen.side_a, &seen.side_b].map(party).into(),
        time: Some(time(seen).map_err(wrong)?),
        places: place(seen).map_err(wrong)?.into_iter().collect(),
        quantities: quantities(seen).map_err(wrong)?,
        materiel: Vec::new(),
        resolution: None,
    };
    for place in &proposition.places {
        place.check().map_err(|error| LineError::value(line, "/latitude", &error))?;
    }
    let assertion = AssertionItem {
        chain: chain().map_err(wrong)?,
        stance: Stance::Reports,
        hedge: Hedge { level: HedgeLevel::Flat, marker: None },
        polarity: Polarity::Affirmed,
        quotes: said.quotes.clone(),
        editorial: Vec::new(),
        note: None,
        tool: None,
    };
    let report = key.clone();
    let kind = ClaimKind::Event;
    Ok(ClaimItem { key, report, kind, proposition, assertion: Some(assertion) })
}

fn gist(seen: &Seen) -> Result<Reason, ValueError> {
    let (a, b) = (&seen.side_a, &seen.side_b);
    let place = seen.levels.first().map(|(_, name)| format!(", {name}"));
    let place = place.unwrap_or_default();
    Reason::try_from(format!("Deadly violence between {a} and {b}{place}, {}", days(seen)))
}

/// The days as EDTF: one day, or the interval.
fn days(seen: &Seen) -> String {
    if seen.start == seen.end {
        seen.start.to_string()
    } else {
        format!("{}/{}", seen.start, seen.end)
    }
}

fn party(side: &Name) -> Participant {
    let who = if side.as_str() == "Civilians" {
        Who::Umbrella { label: side.clone() }
    } else {
        Who::Named { name: side.clone() }
    };
    Participant { role: Role::Party, who }
}

fn time(seen: &Seen) -> Result<FuzzyTime, ValueError> {
    let edtf = Edtf::try_from(days(seen))?;
    let date_precision = Some(seen.row.date_prec.unwrap_or_else(|| derived_date_prec(seen)));
    Ok(FuzzyTime { date_precision, ..FuzzyTime::plain(edtf) })
}

/// The code that fits the number of days, the first and the last among them.
fn derived_date_prec(seen: &Seen) -> u8 {
    let days = seen.start.until(seen.end).map_or(i32::MAX, |span| span.get_days());
    match days.saturating_add(1) {
        ..=1 => 1,
        2..=6 => 2,
        7 => 3,
        8..=31 => 4,
        _ => 5,
    }
}

fn place(seen: &Seen) -> Result<Option<FuzzyPlace>, ValueError> {
    let Some(((finest, name), wider)) = seen.levels.split_first() else {
        return Ok(None); // Nothing is named; a precision without a place would say nothing.
    };
    let wider: Vec<&str> = wider.iter().map(|(_, name)| name.as_str()).collect();
    let relation = if wider.is_empty() {
        None
    } else {
        let of = Name::try_from(wider.join(", ")).ok();
        Some(Relation { kind: RelationKind::In, of, verbatim: None, distance_m: None })
    };
    Ok(Some(FuzzyPlace {
        relation,
        latitude: seen.row.latitude,
        longitude: seen.row.longitude,
        precision: Some(precision(seen, *finest)?),
        ..FuzzyPlace::named(name.clone())
    }))
}

fn precision(seen: &Seen, finest: PrecisionCode) -> Result<Precision, ValueError> {
    let Some(given) = seen.row.where_prec else {
        let level = match finest {
            PrecisionCode::Adm2 => "adm2",
            PrecisionCode::Adm1 => "adm1",
            PrecisionCode::Country => "root",
            _ => "where",
        };
        let scheme = Some(Phrase::try_from(format!("ucdp:finest_name={level}"))?);
        return Ok(Precision { code: finest, radius_m: None, scheme });
    };
    let code = match given {
        1 => PrecisionCode::Exact,
        2 => PrecisionCode::Near,
        3 => PrecisionCode::Adm2,
        4 => PrecisionCode::Adm1,
        5 => PrecisionCode::Linear,
        6 => PrecisionCode::Country,
        _ => PrecisionCode::Unknown, // 7: international waters or airspace.
    };
    let radius_m = (given == 2).then_some(NEAR_RADIUS_M);
    let scheme = Some(Phrase::try_from(format!("ucdp:where_prec={given}"))?);
    Ok(Precision { code, radius_m, scheme })
}

/// All deaths as a range, then each count the row gives as it gives it.
fn quantities(seen: &Seen) -> Result<Vec<Quantity>, ValueError> {
    let row = &seen.row;
    let best = seen.best.map(|best| best.n.into());
    let (low, high) = (i64::from(row.deaths_low).into(), i64::from(row.deaths_high).into());
    let mut quantities = vec![killed("people", Form::Range { low, high, best })?];
    let parts = [
        (row.deaths_side_a, "people on side A"),
        (row.deaths_side_b, "people on side B"),
        (row.deaths_civilian, "civilians"),
        (row.deaths_unknown, "people of unknown side"),
    ];
    for (n, population) in parts {
        if let Some(n) = n {
            quantities.push(killed(population, Form::Exact { n: i64::from(n).into() })?);
        }
    }
    Ok(quantities)
}

fn killed(population: &str, form: Form) -> Result<Quantity, ValueError> {
    let population = Name::try_from(population)?;
    let status = Some(CasualtyStatus::Killed);
    Ok(Quantity { population, status, form, unit: None, qualifier: None })
}

fn chain() -> Result<Chain, ValueError> {
    let holder = Holder::Group { name: Name::try_from(super::HOLDER)? };
    let link = ChainLink {
        holder,
        side: None,
        act: Act::Reports,
        directness: Directness::Narration,
        verb: None,
        scope: Scope::Explicit,
    };
    Chain::try_from(vec![link])
}

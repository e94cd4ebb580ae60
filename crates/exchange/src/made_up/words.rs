//! The words made-up reports are put together from; none of them names a real place, group or person.

/// The most bytes one sentence has.
pub(super) const SENTENCE_BYTES_MAX: usize = 240;

/// Titles, each completed by a number.
pub(super) const TITLES: [&str; 5] =
    ["Morning summary", "Сводка", "تقرير ميداني", "现场报道", "Note from the field"];

/// In which script a report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Script {
    #[default]
    Latin,
    Cyrillic,
    Arabic,
    Chinese,
}

/// What a sentence is made of: shapes with `{who}`, `{did}`, `{where}` and `{n}`.
pub(super) struct Words {
    pub(super) shapes: &'static [&'static str],
    pub(super) who: &'static [&'static str],
    pub(super) did: &'static [&'static str],
    pub(super) places: &'static [&'static str],
}

impl Script {
    /// How often each is written.
    pub(super) const MIX: [Self; 6] =
        [Self::Latin, Self::Latin, Self::Latin, Self::Cyrillic, Self::Arabic, Self::Chinese];

    /// The language it stands for, a BCP 47 tag.
    pub(super) const fn language(self) -> &'static str {
        match self {
            Self::Latin => "en",
            Self::Cyrillic => "ru",
            Self::Arabic => "ar",
            Self::Chinese => "zh",
        }
    }

    pub(super) const fn words(self) -> &'static Words {
        match self {
            Self::Latin => &LATIN,
            Self::Cyrillic => &CYRILLIC,
            Self::Arabic => &ARABIC,
            Self::Chinese => &CHINESE,
        }
    }
}

static LATIN: Words = Words {
    shapes: &[
        "According to {who}, at least {n} people {did} {where} during the night.",
        "{who} said that {n} vehicles {did} {where}, and that nobody had confirmed it yet.",
        "It is unclear whether {who} {did} {where}; between two and {n} houses were damaged.",
        "“We saw about {n} of them,” {who} told a local station, “and they {did} {where}.”",
        "A spokesman denied that {who} {did} {where} on Thursday.",
    ],
    who: &[
        "the river guard",
        "residents of the upper town",
        "the Varnholm council",
        "a doctor who asked not to be named",
        "the Third Column",
        "local sources",
    ],
    did: &["moved through", "left", "shelled the road to", "were seen near", "took shelter in"],
    places: &[
        "Oster Keld",
        "the west side of the Maral salient",
        "Dun Averry",
        "the bridge at Tolma",
        "the camp south of Iskel",
    ],
};

static CYRILLIC: Words = Words {
    shapes: &[
        "По словам {who}, ночью не менее {n} человек {did} {where}.",
        "{who} утверждают, что {n} машин {did} {where}; подтверждений нет.",
        "Неясно, действительно ли {who} {did} {where}.",
    ],
    who: &["жителей посёлка", "местных властей", "дозорных реки", "неназванного врача"],
    did: &["прошли через", "покинули", "были замечены у", "укрылись в"],
    places: &["Остер-Кельд", "Дун-Аверри", "мост у Толмы", "лагерь Искель"],
};

static ARABIC: Words = Words {
    shapes: &[
        "أفاد {who} بأن ما لا يقل عن {n} شخصاً {did} {where} خلال الليل.",
        "قال {who} إن {n} مركبة {did} {where} دون تأكيد مستقل.",
        "لم يتضح ما إذا كان {who} قد {did} {where}.",
    ],
    who: &["سكان البلدة العليا", "حرس النهر", "طبيب طلب عدم ذكر اسمه", "مصادر محلية"],
    did: &["عبروا", "غادروا", "شوهدوا قرب", "احتموا في"],
    places: &["أوستر كلد", "دون أفري", "جسر تولما", "مخيم إسكل"],
};

static CHINESE: Words = Words {
    shapes: &[
        "据{who}称，夜间至少有{n}人{did}{where}。",
        "{who}表示，约{n}辆车{did}{where}，目前尚未得到证实。",
        "尚不清楚{who}是否{did}{where}，具体人数不明。",
    ],
    who: &["当地居民", "河防队", "一位不愿透露姓名的医生", "上城议会"],
    did: &["穿过了", "离开了", "出现在", "躲进了"],
    places: &["奥斯特凯尔德", "敦阿弗里", "托尔马大桥", "伊斯克尔营地"],
};

//! The colours of each theme, by what they mean, and how clearly they stand out.
//!
//! Colours are taken from the fixed part of the 256, which looks the same in every terminal. The background and plain text
//! stay the terminal's own: a theme says for which kind of background its colours are made.

use ratatui::style::Color;

/// For which background colours are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// Light text on a dark background.
    #[default]
    Dark,
    /// Dark text on a light background.
    Light,
}

/// What a colour means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colours {
    /// There, but not to be looked at.
    pub grey: Color,
    /// Runs.
    pub green: Color,
    /// Sleeps; waits for a managed worker.
    pub blue: Color,
    /// Deserves a look.
    pub yellow: Color,
    /// Is bad.
    pub red: Color,
    /// Is chosen; waits for a CPU.
    pub cyan: Color,
    /// Waits for a limit.
    pub magenta: Color,
    /// Waits for order.
    pub pink: Color,
}

/// Of the dark theme.
pub const DARK: Colours = Colours {
    grey: Color::Indexed(245),
    green: Color::Indexed(114),
    blue: Color::Indexed(75),
    yellow: Color::Indexed(179),
    red: Color::Indexed(203),
    cyan: Color::Indexed(80),
    magenta: Color::Indexed(176),
    pink: Color::Indexed(211),
};

/// The same on the chosen line.
const DARK_CHOSEN: Colours = Colours {
    grey: Color::Indexed(249),
    red: Color::Indexed(210),
    magenta: Color::Indexed(183),
    ..DARK
};

/// Of the light theme.
pub const LIGHT: Colours = Colours {
    grey: Color::Indexed(241),
    green: Color::Indexed(22),
    blue: Color::Indexed(20),
    yellow: Color::Indexed(94),
    red: Color::Indexed(160),
    cyan: Color::Indexed(24),
    magenta: Color::Indexed(90),
    pink: Color::Indexed(126),
};

/// The same on the chosen line.
const LIGHT_CHOSEN: Colours = Colours {
    grey: Color::Indexed(240),
    yellow: Color::Indexed(58),
    red: Color::Indexed(124),
    ..LIGHT
};

impl Colours {
    const fn all(self) -> [Color; 8] {
        [
            self.grey,
            self.green,
            self.blue,
            self.yellow,
            self.red,
            self.cyan,
            self.magenta,
            self.pink,
        ]
    }
}

impl Theme {
    /// The other one.
    pub const fn other(self) -> Self {
        match self {
            Self::Dark => Self::Light,
            Self::Light => Self::Dark,
        }
    }

    /// The colours by their meaning.
    pub const fn colours(self) -> Colours {
        match self {
            Self::Dark => DARK,
            Self::Light => LIGHT,
        }
    }

    /// Behind the chosen line.
    pub const fn chosen(self) -> Color {
        Color::Indexed(match self {
            Self::Dark => 237,
            Self::Light => 254,
        })
    }

    /// The colour of this theme that stands for `fg` on the chosen line.
    pub fn on_chosen(self, fg: Color) -> Color {
        let (strong, chosen) = match self {
            Self::Dark => (Color::Indexed(231), DARK_CHOSEN),
            Self::Light => (Color::Indexed(16), LIGHT_CHOSEN),
        };
        if fg == Color::Reset {
            return strong;
        }
        let place = self.colours().all().iter().position(|own| *own == fg);
        place.map_or(fg, |place| chosen.all()[place])
    }

    /// The theme for a terminal that says in `COLORFGBG` what its colours are, as `15;0`; the dark one for all others.
    pub fn of_terminal(colorfgbg: Option<&str>) -> Self {
        let background = colorfgbg.and_then(|text| text.rsplit(';').next()?.parse::<u8>().ok());
        match background {
            Some(7 | 9..=15) => Self::Light,
            _ => Self::Dark,
        }
    }

    /// The backgrounds that are assumed: the darkest and the lightest that such terminals usually have.
    pub const fn backgrounds(self) -> [Rgb; 2] {
        match self {
            Self::Dark => [(0, 0, 0), (0x1e, 0x1e, 0x1e)],
            Self::Light => [(0xee, 0xee, 0xee), (0xff, 0xff, 0xff)],
        }
    }
}

/// Red, green and blue.
pub type Rgb = (u8, u8, u8);

/// What a colour is in numbers; `None` where the terminal decides that.
pub fn rgb(colour: Color) -> Option<Rgb> {
    let level = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
    match colour {
        Color::Rgb(r, g, b) => Some((r, g, b)),
        Color::Indexed(n @ 16..=231) => {
            let n = n - 16;
            Some((level(n / 36), level(n / 6 % 6), level(n % 6)))
        }
        Color::Indexed(n @ 232..) => {
            let grey = 8 + 10 * (n - 232);
            Some((grey, grey, grey))
        }
        _ => None,
    }
}

/// How clearly two colours differ, from 1 (not at all) to 21, as the Web Content Accessibility Guidelines compute it.
pub fn contrast(a: Rgb, b: Rgb) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn luminance((r, g, b): Rgb) -> f64 {
    let linear = |value: u8| {
        let value = f64::from(value) / 255.0;
        if value <= 0.04045 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What text needs to be read with ease.
    const ENOUGH: f64 = 4.5;

    #[test]
    fn every_colour_is_clear_on_every_background() {
        for theme in [Theme::Dark, Theme::Light] {
            for colour in theme.colours().all() {
                for background in theme.backgrounds() {
                    let ratio = contrast(rgb(colour).unwrap(), background);
                    assert!(
                        ratio >= ENOUGH,
                        "{theme:?} {colour} {background:?}: {ratio:.2}"
                    );
                }
                let (text, behind) = (theme.on_chosen(colour), theme.chosen());
                let ratio = contrast(rgb(text).unwrap(), rgb(behind).unwrap());
                assert!(
                    ratio >= ENOUGH,
                    "{theme:?} {colour} as {text}, chosen: {ratio:.2}"
                );
            }
            let plain = rgb(theme.on_chosen(Color::Reset)).unwrap();
            assert!(contrast(plain, rgb(theme.chosen()).unwrap()) > 10.0);
        }
    }

    #[test]
    fn no_two_meanings_share_a_colour() {
        for theme in [Theme::Dark, Theme::Light] {
            let all = theme.colours().all();
            for (i, colour) in all.iter().enumerate() {
                assert!(!all[..i].contains(colour), "{theme:?} {colour}");
            }
        }
    }

    #[test]
    fn contrast_is_that_of_the_guidelines() {
        let close = |a: f64, b: f64| (a - b).abs() < 0.01;
        assert!(close(contrast((0, 0, 0), (255, 255, 255)), 21.0));
        assert!(close(contrast((119, 119, 119), (255, 255, 255)), 4.48));
        assert_eq!(rgb(Color::Indexed(203)), Some((255, 95, 95)));
        assert_eq!(rgb(Color::Indexed(242)), Some((108, 108, 108)));
        assert_eq!(rgb(Color::Reset), None);
    }

    #[test]
    fn a_terminal_that_tells_its_background_gets_the_theme_for_it() {
        assert_eq!(Theme::of_terminal(Some("15;0")), Theme::Dark);
        assert_eq!(Theme::of_terminal(Some("0;15")), Theme::Light);
        assert_eq!(Theme::of_terminal(Some("0;default;15")), Theme::Light);
        assert_eq!(Theme::of_terminal(Some("0;8")), Theme::Dark);
        for nothing in [None, Some(""), Some("x;y")] {
            assert_eq!(Theme::of_terminal(nothing), Theme::Dark);
        }
    }
}

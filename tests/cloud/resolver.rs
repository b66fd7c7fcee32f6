//! PyYAML's resolver of plain scalars: YAML 1.1, but floats need a dot, and a signed exponent.

/// Whether PyYAML takes plain text for anything but a string. A date with a time is not among what this knows.
pub fn is_of_another_type(text: &str) -> bool {
    let words = ["", "~", "null", "yes", "no", "true", "false", "on", "off", "=", "<<"];
    let is_word =
        words.iter().any(|word| text == *word || text == word.to_uppercase() || text == capitalized(word));
    let number = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_endless = [".inf", ".Inf", ".INF"].contains(&number) || [".nan", ".NaN", ".NAN"].contains(&text);
    is_word || is_endless || is_integer(number) || is_float(number, number != text) || is_date(text)
}

fn capitalized(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn is_integer(text: &str) -> bool {
    if let Some(rest) = text.strip_prefix('0').filter(|rest| !rest.starts_with(':')) {
        return rest.is_empty()
            || consists_of(rest, "01234567_")
            || rest.strip_prefix('b').is_some_and(|bits| consists_of(bits, "01_"))
            || rest.strip_prefix('x').is_some_and(|hex| consists_of(hex, "0123456789abcdefABCDEF_"));
    }
    !text.starts_with('0') && is_sexagesimal(text)
}

fn is_float(text: &str, signed: bool) -> bool {
    let Some((whole, rest)) = text.split_once('.') else { return false };
    let (fraction, exponent) = rest.split_once(['e', 'E']).unwrap_or((rest, "+0"));
    let exponent = exponent.strip_prefix(['-', '+']).is_some_and(|digits| consists_of(digits, "0123456789"));
    let fraction_is_bare = !signed && whole.is_empty() && fraction.starts_with(|c: char| c.is_ascii_digit());
    let whole_is_right = is_sexagesimal(whole) && !(whole.contains(':') && rest != fraction);
    let fraction_is_right = fraction.is_empty() || consists_of(fraction, "0123456789_");
    exponent && fraction_is_right && (fraction_is_bare || whole_is_right)
}

/// Digits, alone or with minutes and seconds: YAML 1.1 counts to the base of 60.
fn is_sexagesimal(text: &str) -> bool {
    let mut parts = text.split(':');
    let leading = parts.next().is_some_and(|part| !part.starts_with('_') && consists_of(part, "0123456789_"));
    leading
        && parts.all(|part| {
            consists_of(part, "0123456789") && part.len() <= 2 && part.parse::<u8>().unwrap() < 60
        })
}

fn consists_of(text: &str, allowed: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| allowed.contains(c))
}

fn is_date(text: &str) -> bool {
    text.len() == 10
        && text
            .chars()
            .enumerate()
            .all(|(at, c)| if at == 4 || at == 7 { c == '-' } else { c.is_ascii_digit() })
}

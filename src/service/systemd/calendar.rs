//! OnCalendar= (systemd.time(7), "Calendar Events") as five cron fields, where it can be said so; and time spans.

use crate::words;

/// The five fields; `None` where cron cannot say it (seconds, years, last days of months, `~`, several zones).
pub fn to_cron(event: &str) -> Option<String> {
    let event = words::trim(event);
    let fields = match event.to_ascii_lowercase().as_str() {
        "minutely" => "* * * * *",
        "hourly" => "0 * * * *",
        "daily" | "midnight" => "0 0 * * *",
        "weekly" => "0 0 * * 1",
        "monthly" => "0 0 1 * *",
        "quarterly" => "0 0 1 1,4,7,10 *",
        "semiannually" | "semi-annually" => "0 0 1 1,7 *",
        "yearly" | "annually" => "0 0 1 1 *",
        _ => return general(event),
    };
    Some(fields.to_owned())
}

fn general(event: &str) -> Option<String> {
    let mut weekdays = "*".to_owned();
    let mut date = None;
    let mut time = None;
    for word in words::parts(event) {
        if word.contains(':') {
            time = Some(word);
        } else if word.starts_with(|c: char| c.is_alphabetic()) && date.is_none() && time.is_none()
        {
            weekdays = days(word)?;
        } else if word.contains('-') || word == "*" {
            date = Some(word);
        } else {
            // A zone; cron runs in the container's own.
            return None;
        }
    }
    let (month, day) = match date {
        None => ("*".to_owned(), "*".to_owned()),
        Some(date) => {
            let parts: Vec<&str> = date.split('-').collect();
            let (month, day) = match parts.as_slice() {
                ["*", month, day] | [month, day] => (*month, *day),
                _ => return None,
            };
            (field(month, 1, 12)?, field(day, 1, 31)?)
        }
    };
    let (hour, minute) = match time {
        None => ("0".to_owned(), "0".to_owned()),
        Some(time) => {
            let parts: Vec<&str> = time.split(':').collect();
            let (hour, minute) = match parts.as_slice() {
                [hour, minute] | [hour, minute, "0" | "00"] => (*hour, *minute),
                _ => return None,
            };
            (field(hour, 0, 23)?, field(minute, 0, 59)?)
        }
    };
    // To cron a day of the month or of the week will do, where systemd wants both.
    let both = day != "*" && weekdays != "*";
    (!both).then(|| format!("{minute} {hour} {day} {month} {weekdays}"))
}

/// `*`, `5`, `1,2`, `1..5`, `0/15`, `*/2`: leading zeros dropped, `..` becomes `-`; a start with a step runs to the end
/// of the field, `0/15` as `*/15` and `5/15` as `5-59/15`.
fn field(text: &str, first: u32, last: u32) -> Option<String> {
    let number = |text: &str| number(text).filter(|n| (first..=last).contains(n));
    let mut items = Vec::new();
    for item in text.split(',') {
        let (range, step) = item
            .split_once('/')
            .map_or((item, None), |(range, step)| (range, Some(step)));
        let step = match step {
            Some(step) => Some(step.parse::<u32>().ok().filter(|step| *step > 0)?),
            None => None,
        };
        let range = match (range.split_once(".."), step) {
            (Some((low, high)), _) => format!("{}-{}", number(low)?, number(high)?),
            (None, _) if range == "*" => "*".to_owned(),
            (None, None) => number(range)?.to_string(),
            (None, Some(_)) => match number(range)? {
                from if from == first => "*".to_owned(),
                from => format!("{from}-{last}"),
            },
        };
        items.push(step.map_or(range.clone(), |step| format!("{range}/{step}")));
    }
    Some(items.join(","))
}

fn number(text: &str) -> Option<u32> {
    text.parse().ok()
}

fn days(text: &str) -> Option<String> {
    let day = |name: &str| {
        let short = name.get(..3)?.to_ascii_lowercase();
        let at = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
            .iter()
            .position(|day| *day == short)?;
        Some(at)
    };
    let mut items = Vec::new();
    for item in text.trim_end_matches(',').split(',') {
        let range = item.split_once("..").or_else(|| item.split_once('-'));
        items.push(match range {
            // Sunday ends a systemd week and starts cron's; seven is Sunday to cron too.
            Some((low, high)) => {
                let last = |day: usize| if day == 0 { 7 } else { day };
                let (low, high) = (last(day(low)?), last(day(high)?));
                (low <= high).then(|| format!("{low}-{high}"))?
            }
            None => day(item)?.to_string(),
        });
    }
    Some(items.join(","))
}

/// A time span in seconds (systemd.time(7), "Parsing Time Spans"); a bare number is seconds.
pub fn span(text: &str) -> Option<u64> {
    let mut total = 0f64;
    let mut rest = words::trim(text);
    if rest.is_empty() || rest == "infinity" {
        return None;
    }
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let (digits, tail) = rest.split_at_checked(end)?;
        let tail = tail.trim_start_matches(words::is_blank);
        let end = tail
            .find(|c: char| !c.is_alphabetic())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(end)?;
        let scale = match unit {
            "" | "s" | "sec" | "second" | "seconds" => 1.0,
            "ms" | "msec" => 0.001,
            "us" | "usec" | "µs" => 0.000_001,
            "m" | "min" | "minute" | "minutes" => 60.0,
            "h" | "hr" | "hour" | "hours" => 3600.0,
            "d" | "day" | "days" => 86_400.0,
            "w" | "week" | "weeks" => 604_800.0,
            "M" | "month" | "months" => 2_629_800.0,
            "y" | "year" | "years" => 31_557_600.0,
            _ => return None,
        };
        total += digits.parse::<f64>().ok()? * scale;
        rest = tail.trim_start_matches(words::is_blank);
    }
    // Spans of a unit file are small; what is not is no span we act on.
    if total < 4e9 {
        format!("{:.0}", total.ceil()).parse().ok()
    } else {
        None
    }
}

/// A repetition every so many seconds as cron fields: whole minutes that divide an hour, or whole hours that divide a day.
pub fn every(seconds: u64) -> Option<String> {
    match seconds {
        60 => Some("* * * * *".into()),
        s if s % 60 == 0 && s < 3600 && 3600 % s == 0 => Some(format!("*/{} * * * *", s / 60)),
        3600 => Some("0 * * * *".into()),
        s if s % 3600 == 0 && s < 86_400 && 86_400 % s == 0 => {
            Some(format!("0 */{} * * *", s / 3600))
        }
        86_400 => Some("0 0 * * *".into()),
        604_800 => Some("0 0 * * 0".into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events() {
        for (event, cron) in [
            ("daily", "0 0 * * *"),
            ("*-*-* 04:05:00", "5 4 * * *"),
            ("Mon..Fri 10:00", "0 10 * * 1-5"),
            ("Sat,Sun 2:30", "30 2 * * 6,0"),
            ("*:0/15", "*/15 * * * *"),
            ("*-*-01 6,18:00", "0 6,18 1 * *"),
            ("Mon *-*-* 00:00:00", "0 0 * * 1"),
            ("hourly", "0 * * * *"),
            ("Fri..Sun 1:00", "0 1 * * 5-7"),
            ("*:5/15", "5-59/15 * * * *"),
            ("2..6:10/20", "10-59/20 2-6 * * *"),
            ("*-*-2..10/2 0:0", "0 0 2-10/2 * *"),
            ("12-24", "0 0 24 12 *"),
        ] {
            assert_eq!(to_cron(event).as_deref(), Some(cron), "{event}");
        }
        for event in [
            "*-*-* *:*:0/10",
            "*-*~1 0:0",
            "2027-01-01 00:00",
            "daily UTC",
            "Sat *-*-1..7 18:00",
            "Wed..Mon 9:00",
            "*:75",
            "*:0/0",
        ] {
            assert_eq!(to_cron(event), None, "{event}");
        }
    }

    #[test]
    fn spans() {
        assert_eq!(span("1min 30s"), Some(90));
        assert_eq!(span("90"), Some(90));
        assert_eq!(span("infinity"), None);
        assert_eq!(every(900).as_deref(), Some("*/15 * * * *"));
        assert_eq!(every(100), None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_survives(text in ".{0,40}") {
            let _ = (to_cron(&text), span(&text));
        }
    }
}

//! OnCalendar= (systemd.time(7), "Calendar Events") as five cron fields, where it can be said so; and time spans.

/// The five fields; `None` where cron cannot say it (seconds, years, last days of months, `~`, several zones).
pub fn to_cron(event: &str) -> Option<String> {
    let event = event.trim();
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
    for word in event.split_whitespace() {
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
            (field(month, 1)?, field(day, 1)?)
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
            (field(hour, 0)?, field(minute, 0)?)
        }
    };
    Some(format!("{minute} {hour} {day} {month} {weekdays}"))
}

/// `*`, `5`, `1,2`, `1..5`, `0/15`, `*/2`: leading zeros dropped, `..` becomes `-`, `0/15` becomes `*/15`.
fn field(text: &str, first: u32) -> Option<String> {
    let mut items = Vec::new();
    for item in text.split(',') {
        let (range, step) = item
            .split_once('/')
            .map_or((item, None), |(range, step)| (range, Some(step)));
        let range = match range.split_once("..") {
            Some((low, high)) => format!("{}-{}", number(low)?, number(high)?),
            None if range == "*" => "*".to_owned(),
            None => number(range)?.to_string(),
        };
        items.push(match step {
            None => range,
            Some(step) => {
                let step = number(step)?;
                // `5/15` in systemd runs on to the end; cron wants the range said.
                let from_first = range == "*" || range == first.to_string() || range.contains('-');
                let range = if range == first.to_string() {
                    "*".to_owned()
                } else {
                    range
                };
                if !from_first || step == 0 {
                    return None;
                }
                format!("{range}/{step}")
            }
        });
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
            Some((low, high)) => format!(
                "{}-{}",
                day(low)?,
                Some(day(high)?).filter(|d| *d > 0).unwrap_or(7)
            ),
            None => day(item)?.to_string(),
        });
    }
    Some(items.join(","))
}

/// A time span in seconds (systemd.time(7), "Parsing Time Spans"); a bare number is seconds.
pub fn span(text: &str) -> Option<u64> {
    let mut total = 0f64;
    let mut rest = text.trim();
    if rest.is_empty() || rest == "infinity" {
        return None;
    }
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let (digits, tail) = rest.split_at_checked(end)?;
        let tail = tail.trim_start();
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
        rest = tail.trim_start();
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
        ] {
            assert_eq!(to_cron(event).as_deref(), Some(cron), "{event}");
        }
        for event in [
            "*-*-* *:*:0/10",
            "*-*~1 0:0",
            "2027-01-01 00:00",
            "daily UTC",
            "*:5/15",
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

//! How fast files are looked through for secrets: `cargo bench --bench secrets -- DIRECTORY`. Beside it, in the same run and on the
//! same bytes, what it takes to count their lines.

#![allow(clippy::print_stdout, reason = "a bench says what it measured")]

use std::hint::black_box;
use std::time::{Duration, Instant};
use transvase::secret::Search;

fn main() {
    let Some(directory) = std::env::args().skip(1).find(|word| !word.starts_with('-')) else {
        println!("usage: cargo bench --bench secrets -- DIRECTORY");
        return;
    };
    let (mut bytes, mut files, mut hits) = (0u64, 0u64, 0u64);
    let (mut searching, mut counting) = (Duration::ZERO, Duration::ZERO);
    let entries = walkdir::WalkDir::new(directory).sort_by_file_name();
    for entry in entries
        .into_iter()
        .flatten()
        .filter(|entry| entry.file_type().is_file())
    {
        let Ok(content) = std::fs::read(entry.path()) else {
            continue;
        };
        let path = entry.path().to_string_lossy();
        let begun = Instant::now();
        black_box(memchr::memchr_iter(b'\n', &content).count());
        counting += begun.elapsed();
        let begun = Instant::now();
        Search::new(&path, &content).piece(&content, true, |_| hits += 1);
        searching += begun.elapsed();
        bytes += content.len() as u64;
        files += 1;
    }
    let speed = |took: Duration| bytes as f64 / 1e6 / took.as_secs_f64();
    println!("{files} files, {:.0} MB, {hits} hits", bytes as f64 / 1e6);
    println!(
        "searched at {:.0} MB/s on one core; their lines are counted at {:.0} MB/s",
        speed(searching),
        speed(counting)
    );
}

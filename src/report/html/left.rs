//! What is left behind, as areas: directories by the bytes that do not move, and packages that no image needs.

use crate::plan::Unclaimed;
use crate::report::letters;
use crate::report::treemap::{Area, areas};
use crate::scan::{Scan, UsedDirectory};
use crate::text::bytes;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
pub(super) struct Left {
    whole: String,
    moves: String,
    stays: String,
    /// Of the whole, percent.
    percent: u64,
    directories: Vec<Map>,
    packages: Vec<Map>,
    /// The same for those who cannot see areas: the largest, with their sizes.
    largest: Vec<[String; 2]>,
    package_count: usize,
    package_moves: usize,
    /// What was made on the machine and nothing carries: path, files, size, last change; the largest.
    unclaimed: Vec<[String; 4]>,
    unclaimed_count: usize,
    unclaimed_more: usize,
}

/// One treemap, laid out for a wide or a narrow screen.
#[derive(Serialize)]
struct Map {
    class: &'static str,
    label: &'static str,
    width: u32,
    height: u32,
    groups: Vec<Group>,
}

/// A directory around areas; without a name where there is only one.
#[derive(Serialize)]
struct Group {
    name: String,
    text_x: String,
    text_y: String,
    cells: Vec<Cell>,
}

#[derive(Serialize)]
struct Cell {
    x: String,
    y: String,
    width: String,
    height: String,
    text_x: String,
    first: String,
    second: String,
    label: String,
    sub: String,
    title: String,
    shade: usize,
}

/// A part of what stays: the group it is shown in, its name there, its whole name, and its bytes.
struct Part {
    group: String,
    name: String,
    title: String,
    bytes: u64,
}

/// Areas of one map; what is smaller is one area together.
const MOST: usize = 40;

/// Rows of what nothing carries.
const LISTED: usize = 60;

pub(super) fn left(scan: &Scan) -> Left {
    let usage = &scan.usage;
    let stays = usage.bytes.saturating_sub(usage.moves);
    let directories = parts(scan);
    let packages = packages(scan);
    let moving = scan
        .packages
        .items
        .iter()
        .filter(|package| package.moves)
        .count();
    Left {
        whole: bytes(usage.bytes),
        moves: bytes(usage.moves),
        stays: bytes(stays),
        percent: stays.saturating_mul(100) / usage.bytes.max(1),
        largest: directories
            .iter()
            .take(10)
            .map(|part| [part.title.clone(), bytes(part.bytes)])
            .collect(),
        directories: maps("Directories by the bytes that stay behind", &directories),
        package_count: packages.len(),
        package_moves: moving,
        unclaimed_count: scan.unclaimed.len(),
        unclaimed_more: scan.unclaimed.len().saturating_sub(LISTED),
        unclaimed: unclaimed(scan),
        packages: maps("Packages that no image needs, by their size", &packages),
    }
}

/// The largest of what nothing carries, as rows.
fn unclaimed(scan: &Scan) -> Vec<[String; 4]> {
    let mut found: Vec<&Unclaimed> = scan.unclaimed.iter().collect();
    found.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.path.cmp(&b.path)));
    let row = |left: &Unclaimed| {
        let size = bytes(left.bytes);
        [
            left.path.to_string(),
            left.names.to_string(),
            size,
            left.changed.clone(),
        ]
    };
    found.into_iter().take(LISTED).map(row).collect()
}

/// Packages that no image needs, the largest first.
fn packages(scan: &Scan) -> Vec<Part> {
    let items = scan.packages.items.iter();
    let mut found: Vec<Part> = items
        .filter(|package| !package.moves && package.bytes > 0)
        .map(|package| Part {
            group: String::new(),
            name: package.name.clone(),
            title: format!("{} {}", package.name, package.version),
            bytes: package.bytes,
        })
        .collect();
    found.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
    found
}

/// Directories with what stays in them and in no smaller one that has a name of its own, the largest first.
fn parts(scan: &Scan) -> Vec<Part> {
    let known = &scan.usage.directories;
    let mut found: Vec<Part> = known
        .iter()
        .map(|directory| {
            let inner: Vec<&UsedDirectory> = known
                .iter()
                .filter(|other| other.path.parent().as_ref() == Some(&directory.path))
                .collect();
            let stays = |of: &UsedDirectory| of.bytes.saturating_sub(of.moves);
            let below: u64 = inner.iter().map(|other| stays(other)).sum();
            let path = directory.path.to_string();
            let whole = if inner.is_empty() {
                path
            } else {
                format!("{}/*", path.trim_end_matches('/'))
            };
            part(whole, stays(directory).saturating_sub(below))
        })
        .collect();
    found.retain(|part| part.bytes > 0);
    found.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.title.cmp(&b.title)));
    found
}

/// A directory in the group of its first two steps: `/usr/lib`.
fn part(whole: String, bytes: u64) -> Part {
    let steps: Vec<&str> = whole.trim_start_matches('/').splitn(3, '/').collect();
    let (group, name) = match steps.as_slice() {
        [first, second, rest] => (format!("/{first}/{second}"), (*rest).to_owned()),
        [first, second] => (format!("/{first}"), (*second).to_owned()),
        _ => ("/".to_owned(), whole.clone()),
    };
    Part {
        group,
        name,
        title: whole,
        bytes,
    }
}

/// Name, whole name and bytes of an area.
type Named<'a> = (&'a str, &'a str, u64);

fn maps(label: &'static str, parts: &[Part]) -> Vec<Map> {
    if parts.is_empty() {
        return Vec::new();
    }
    let mut by_name: BTreeMap<&str, Vec<Named<'_>>> = BTreeMap::new();
    for part in parts.iter().take(MOST) {
        let group = by_name.entry(&part.group).or_default();
        group.push((&part.name, &part.title, part.bytes));
    }
    let rest: u64 = parts.iter().skip(MOST).map(|part| part.bytes).sum();
    let smaller = format!("{} smaller ones", parts.len().saturating_sub(MOST));
    if rest > 0 {
        let only = by_name
            .keys()
            .next()
            .copied()
            .filter(|_| by_name.len() == 1);
        let group = by_name.entry(only.unwrap_or("elsewhere")).or_default();
        group.push((&smaller, &smaller, rest));
    }
    let mut groups: Vec<(u64, &str, Vec<Named<'_>>)> = by_name
        .into_iter()
        .map(|(name, mut cells)| {
            cells.sort_by_key(|cell| std::cmp::Reverse(cell.2));
            (cells.iter().map(|cell| cell.2).sum(), name, cells)
        })
        .collect();
    groups.sort_by_key(|(size, ..)| std::cmp::Reverse(*size));
    let sizes: Vec<u64> = groups.iter().map(|(size, ..)| *size).collect();
    let map = |(class, width, height)| {
        let placed = areas(&sizes, Area::of(width, height)).into_iter();
        let placed = placed.zip(&groups).zip(0usize..);
        Map {
            class,
            label,
            width,
            height,
            groups: placed
                .map(|((area, (_, name, cells)), shade)| group(name, cells, area, shade % 4))
                .collect(),
        }
    };
    [("wide", 1192, 400), ("tall", 344, 560)]
        .into_iter()
        .map(map)
        .collect()
}

fn group(name: &str, cells: &[Named<'_>], area: Area, shade: usize) -> Group {
    const HEADER: f64 = 22.0;
    let name = fit(name, area.width);
    let headed = !name.is_empty() && area.height > 3.0 * HEADER;
    let header = if headed { HEADER } else { 0.0 };
    let within = Area {
        y: area.y + header,
        height: area.height - header,
        ..area
    };
    let sizes: Vec<u64> = cells.iter().map(|cell| cell.2).collect();
    Group {
        name: if headed { name } else { String::new() },
        text_x: format!("{:.1}", area.x + 4.0),
        text_y: format!("{:.1}", area.y + 15.0),
        cells: areas(&sizes, within)
            .into_iter()
            .zip(cells)
            .map(|(area, named)| cell(*named, area, shade))
            .collect(),
    }
}

fn cell((name, title, size): Named<'_>, area: Area, shade: usize) -> Cell {
    let room = |height: f64, text: &str| {
        if area.height < height {
            String::new()
        } else {
            fit(text, area.width)
        }
    };
    let label = room(24.0, name);
    let sub = if label.is_empty() {
        String::new()
    } else {
        room(42.0, &bytes(size))
    };
    Cell {
        x: format!("{:.1}", area.x + 1.0),
        y: format!("{:.1}", area.y + 1.0),
        width: format!("{:.1}", (area.width - 2.0).max(0.5)),
        height: format!("{:.1}", (area.height - 2.0).max(0.5)),
        text_x: format!("{:.1}", area.x + 8.0),
        first: format!("{:.1}", area.y + 18.0),
        second: format!("{:.1}", area.y + 34.0),
        label,
        sub,
        title: format!("{title}: {}", bytes(size)),
        shade,
    }
}

/// As much of a name as an area holds: of a path its end from a slash on. Nothing where it would say nothing.
fn fit(name: &str, width: f64) -> String {
    // The size of the style's letters, in tenths of a pixel.
    const SIZE: u32 = 125;
    const LEAST: u32 = 44;
    let room = (0..2000u32)
        .take_while(|pixels| f64::from(*pixels) + 13.0 <= width)
        .last();
    let room = room.unwrap_or_default();
    if letters::fits(name, room, SIZE) {
        return name.to_owned();
    }
    let tails = name.match_indices('/').map(|(at, _)| name.get(at..));
    let mut tails = tails.flatten().map(|tail| format!("…{tail}"));
    let tail = tails.find(|tail| tail != "…/*" && letters::fits(tail, room, SIZE));
    match tail {
        Some(tail) => tail,
        None if room < LEAST => String::new(),
        None => {
            let last = name.trim_end_matches("/*").rsplit('/').next();
            letters::cut(last.unwrap_or(name), room, SIZE)
        }
    }
}

"""What brings a call that was found and not seen: the least certain part of the most certain way to it, as
`transvase kernel --why` says it. `benches/calls.py --causes` prints it."""

import collections
import os
import statistics
import textwrap

# Of each certainty what it is called, and how its deciding step was led to; the order is that of the program.
CLASSES = {
    "calls": "calls alone: a way that the code has and the trace did not take",
    "pointer": "a function whose address reached code takes, called by a pointer or never",
    "table": "a function whose address stands in data that reached code refers to",
    "name": "a symbol that is looked up by its name at run time",
    "opened": "a file that is opened at run time, with all that it shows",
    "number": "an entry into the kernel with a number that is not known",
}
DECIDES = {
    "pointer": ("takes",),
    "table": ("holds",),
    "name": ("looks-up", "names", "serves"),
    "opened": ("opens", "opens-any"),
    "number": ("any-number",),
}
WORDS = {"takes": "takes", "holds": "data", "looks-up": "looks up", "names": "has the name", "serves": "name service",
         "opens": "opens", "opens-any": "opens any", "any-number": "any number"}


def place(step, is_data=False):
    """A step in short: the file, and the name or the offset of what is there."""
    name = step.get("name") or (f"{step['offset']:#x}" if step["offset"] else "")
    return (os.path.basename(step["path"]) + (" data" if is_data else "") + " " + name).strip()


def decider(way):
    """The step that a way rests on, in short: who led to what. Of several the one nearest to the call."""
    steps, certainty = way["steps"], way["certainty"]
    if certainty == "calls":
        # Where the last file is entered, which makes the call: the C library, or the program itself.
        last = steps[-1]["path"]
        at = len(steps) - 1
        while at > 0 and steps[at - 1]["path"] == last:
            at -= 1
        if at == 0 or at == len(steps) - 1:
            return f"{os.path.basename(last)} itself"
        by = os.path.basename(steps[at - 1]["path"])
        if steps[at].get("name", "").strip("_").removesuffix("64") == way["call"].removesuffix("64"):
            return f"{by} itself"
        entered = steps[at] if steps[at]["offset"] or at + 2 >= len(steps) else steps[at + 1]
        return f"{by} → {place(entered)}"
    at = max(at for at, step in enumerate(steps) if step["how"] in DECIDES[certainty])
    how = steps[at]["how"]
    return f"{WORDS[how]}: {place(steps[at - 1], how == 'holds')} → {place(steps[at])}"


class Causes:
    """Extra calls of all programs by what brings them."""

    def __init__(self):
        self.classes = collections.Counter()
        self.programs = []
        self.deciders = collections.defaultdict(list)

    def of(self, name, seen, extra, ways):
        """The extra calls of one program, which was seen to make so many that were found, by cause, as text."""
        groups = {certainty: collections.defaultdict(list) for certainty in CLASSES}
        for call in sorted(extra):
            way = ways.get(call)
            if way is None:
                raise SystemExit(f"{name}: no way to {call}, which was found")
            edge = decider(way)
            groups[way["certainty"]][edge].append(call)
            self.classes[way["certainty"]] += 1
            self.deciders[way["certainty"], edge].append((name, call))
        self.programs.append((seen, {certainty: sum(map(len, edges.values())) for certainty, edges in groups.items()}))
        lines = []
        for certainty, edges in groups.items():
            if edges:
                lines.append(f"    {certainty} ({sum(map(len, edges.values()))})")
            for edge, calls in sorted(edges.items(), key=lambda item: (-len(item[1]), item[0])):
                lines.append(textwrap.fill(f"{edge}: {' '.join(calls)}", 130, initial_indent=" " * 6, subsequent_indent=" " * 10,
                                           break_long_words=False, break_on_hyphens=False))
        return "\n".join(lines)

    def best(self, kept):
        """The mean F1 if no call were extra but those of these certainties; no call being missed."""
        precisions = [seen / (seen + sum(extra[certainty] for certainty in kept)) for seen, extra in self.programs]
        return statistics.mean(2 * precision / (1 + precision) for precision in precisions)

    def table(self, most=60):
        """What costs most, over all programs."""
        total = sum(self.classes.values())
        lines = ["", f"{total} extra calls of all programs, by the least certain part of the most certain way to each:"]
        kept = []
        for certainty, meaning in CLASSES.items():
            count = self.classes[certainty]
            kept.append(certainty)
            lines.append(f"{count:6} {count / max(1, total):5.1%}  {certainty:8} F1 {self.best(kept):.3f} with these and those above alone; {meaning}")
        lines += ["", "What decides, the most costly first: extra calls, programs, what it is"]
        ordered = sorted(self.deciders.items(), key=lambda item: (-len(item[1]), item[0]))
        for (certainty, edge), found in ordered[:most]:
            calls = collections.Counter(call for _, call in found)
            shown = " ".join(call for call, _ in sorted(calls.items(), key=lambda item: (-item[1], item[0]))[:6])
            more = f" and {len(calls) - 6} more" if len(calls) > 6 else ""
            programs = len({name for name, _ in found})
            lines.append(f"{len(found):6} {programs:3}  {certainty:8} {edge}: {shown}{more}")
        return "\n".join(lines)

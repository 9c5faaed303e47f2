"""Line charts as SVG, both axes logarithmic, with nothing but the standard library."""
import html
import math

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 190, 50, 60
COLOURS = ["#1f6feb", "#8b949e"]
DASHES = ["none", "7 4", "2 3"]


def label(number):
    if number >= 1_000_000:
        return f"{number / 1_000_000:g} M"
    return f"{number:,.0f}" if number >= 1 else f"{number:g}"


def powers(low, high):
    return [10.0 ** power for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]


class Axis:
    def __init__(self, values, start, end, ticks):
        self.ticks = ticks
        low, high = min(values + ticks), max(values + ticks)
        self.low, self.scale = math.log(low), (end - start) / (math.log(high) - math.log(low))
        self.start = start

    def place(self, value):
        return self.start + (math.log(value) - self.low) * self.scale


def apart(places, distance):
    """The places, moved so that neighbours are at least this far from each other."""
    moved = {}
    last = -math.inf
    for key, place in sorted(places.items(), key=lambda one: one[1]):
        last = max(place, last + distance)
        moved[key] = last
    return moved


def chart(title, x_title, y_title, series):
    """`series` is a list of (label, which colour, which dashes, [(x, y), …])."""
    xs = sorted({x for *_, points in series for x, _ in points})
    ys = [y for *_, points in series for _, y in points]
    across = Axis(xs, LEFT, WIDTH - RIGHT, xs)
    down = Axis(ys, HEIGHT - BOTTOM, TOP, powers(min(ys), max(ys)))
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"'
             f' font-size="12" fill="#57606a"><rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
             f'<text x="{LEFT}" y="24" font-size="15" fill="#24292f">{html.escape(title)}</text>',
             f'<text x="{LEFT - 50}" y="{TOP - 8}">{html.escape(y_title)}</text>',
             f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 14}" text-anchor="middle">'
             f'{html.escape(x_title)}</text>']
    for tick in down.ticks:
        y = down.place(tick)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#d8dee4"/>'
                     f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{label(tick)}</text>')
    for tick in across.ticks:
        parts.append(f'<text x="{across.place(tick):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">'
                     f'{label(tick)}</text>')
    ends = apart({number: down.place(line[3][-1][1]) for number, line in enumerate(series)}, 15)
    for number, (name, colour, dashes, points) in enumerate(series):
        path = "L".join(f"{across.place(x):.1f} {down.place(y):.1f}" for x, y in points)
        parts.append(f'<path d="M{path}" fill="none" stroke="{COLOURS[colour]}" stroke-width="2.2"'
                     f' stroke-dasharray="{DASHES[dashes]}"/>')
        parts += [f'<circle cx="{across.place(x):.1f}" cy="{down.place(y):.1f}" r="3" fill="{COLOURS[colour]}"/>'
                  for x, y in points]
        parts.append(f'<text x="{across.place(points[-1][0]) + 10:.1f}" y="{ends[number] + 4:.1f}"'
                     f' fill="{COLOURS[colour]}">{html.escape(name)}</text>')
    return "\n".join(parts) + "\n</svg>\n"

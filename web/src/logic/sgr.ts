/**
 * How a piece of terminal output looks, packed into one number, so that the look at the start of
 * every line of a large output costs two bytes: bits 0–2 colour, 3–5 background, then a bit each.
 */
export type Look = number

/** No colour, nothing bold. */
export const PLAIN: Look = 0

const HUES = [undefined, 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan'] as const

/** The colours there are; black, white and greys are the text's own colour, so that nothing vanishes. */
export type Hue = NonNullable<(typeof HUES)[number]>

const BOLD = 1 << 6
const DIM = 1 << 7
const ITALIC = 1 << 8
const UNDERLINE = 1 << 9
const STRIKE = 1 << 10
const INVERSE = 1 << 11

/** What a look says, for the classes of a span. */
export interface Shown {
  colour?: Hue
  /** With a background the text keeps its own colour: any two colours together may be unreadable. */
  ground?: Hue | 'grey'
  bold: boolean
  dim: boolean
  italic: boolean
  underline: boolean
  strike: boolean
}

/** Unpacks a look. */
export function shown(look: Look): Shown {
  const colour = HUES[look & 7]
  const ground = HUES[(look >> 3) & 7]
  const inverse = (look & INVERSE) !== 0
  return {
    colour: inverse || ground ? undefined : colour,
    ground: inverse ? (colour ?? 'grey') : ground,
    bold: (look & BOLD) !== 0,
    dim: (look & DIM) !== 0,
    italic: (look & ITALIC) !== 0,
    underline: (look & UNDERLINE) !== 0,
    strike: (look & STRIKE) !== 0,
  }
}

/** The look after the parameters of an SGR sequence (ECMA-48, 8.3.117; colours as xterm has them). */
export function restyled(look: Look, params: string): Look {
  const codes = params.split(';', 64)
  let now = look
  for (let at = 0; at < codes.length; at += 1) {
    const parts = (codes[at] ?? '').split(':')
    const code = Number(parts[0] || 0)
    if (code === 38 || code === 48 || code === 58) {
      const [hue, used] = parts.length > 1 ? [colonColour(parts), 0] : semicolonColour(codes, at)
      at += used
      if (code === 38) now = (now & ~7) | hue
      if (code === 48) now = (now & ~(7 << 3)) | (hue << 3)
    } else if (code === 4) {
      now = parts[1] === '0' ? now & ~UNDERLINE : now | UNDERLINE
    } else {
      now = simple(now, code)
    }
  }
  return now
}

const ON: Record<number, number> = {
  1: BOLD, 2: DIM, 3: ITALIC, 7: INVERSE, 9: STRIKE, 21: UNDERLINE,
}
const OFF: Record<number, number> = {
  22: BOLD | DIM, 23: ITALIC, 24: UNDERLINE, 27: INVERSE, 29: STRIKE, 39: 7, 49: 7 << 3,
}

function simple(look: Look, code: number): Look {
  if (code === 0) return PLAIN
  const on = ON[code]
  if (on !== undefined) return look | on
  const off = OFF[code]
  if (off !== undefined) return look & ~off
  const base = code >= 90 ? code - 60 : code
  if (base >= 30 && base <= 37) return (look & ~7) | basic(base - 30)
  if (base >= 40 && base <= 47) return (look & ~(7 << 3)) | (basic(base - 40) << 3)
  // Concealed text (8), blinking (5) and the rest are not followed: everything can be read.
  return look
}

/** 0 black … 7 white → the number of a hue. */
const basic = (colour: number) => (colour >= 1 && colour <= 6 ? colour : 0)

function semicolonColour(codes: string[], at: number): [number, number] {
  const number = (offset: number) => Number(codes[at + offset] || 0)
  if (codes[at + 1] === '5') return [indexed(number(2)), 2]
  if (codes[at + 1] === '2') return [hueOf(number(2), number(3), number(4)), 4]
  return [0, 0]
}

function colonColour(parts: string[]): number {
  if (parts[1] === '5') return indexed(Number(parts[2] || 0))
  if (parts[1] !== '2') return 0
  // `38:2:<space>:r:g:b`, or as some write it without the colour space.
  const rgb = (parts.length > 5 ? parts.slice(3, 6) : parts.slice(2, 5)).map((part) => Number(part || 0))
  return hueOf(rgb[0] ?? 0, rgb[1] ?? 0, rgb[2] ?? 0)
}

/** A colour of xterm's 256, as the hue nearest to it. */
function indexed(colour: number): number {
  if (colour < 16) return basic(colour % 8)
  if (colour > 231) return 0
  const cube = colour - 16
  return hueOf(Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6)
}

/** The hue nearest to a colour; greys, and what is nearly one, are none. */
function hueOf(red: number, green: number, blue: number): number {
  const most = Math.max(red, green, blue)
  const spread = most - Math.min(red, green, blue)
  if (!(spread > most * 0.2)) return 0
  let degrees: number
  if (most === red) degrees = 60 * ((green - blue) / spread)
  else if (most === green) degrees = 60 * ((blue - red) / spread + 2)
  else degrees = 60 * ((red - green) / spread + 4)
  // Sixths of the circle, red around 0°: red, yellow, green, cyan, blue, magenta.
  return [1, 3, 2, 6, 4, 5][Math.floor(((degrees + 390) % 360) / 60)] ?? 0
}

import { memo } from 'react'
import { tokens } from '../../logic/ansi'
import { highlight, type Marked } from '../../logic/highlight'
import { shown } from '../../logic/sgr'
import { count } from '../../logic/words'
import classes from './Output.module.css'

interface OutputLineProps {
  text: string
  /** Characters the line has in all. */
  chars: number
  /** The look at its beginning. */
  look: number
  /** Show control sequences as they were sent. */
  codes: boolean
  /** What is searched for. */
  finds: RegExp | undefined
  /** Which of this line's matches is the one the search stands at. */
  here: number | undefined
}

/** A line of output: text in its colours, with nothing in it that does anything. */
export const OutputLine = memo(function OutputLine({ text, chars, look, codes, finds, here }: OutputLineProps) {
  const marked = highlight(tokens(text, look, codes).tokens, finds)
  const hidden = chars - text.length
  return (
    <>
      {marked.map((token, at) => <Piece key={at} token={token} here={token.hit !== undefined && token.hit === here} />)}
      {hidden > 0 && (
        <span className={classes.cut}>
          … {count(hidden, 'more character')} of this line not shown: download the output to see all of it
        </span>
      )}
    </>
  )
})

function Piece({ token, here }: { token: Marked; here: boolean }) {
  if (token.control !== undefined) {
    return <span className={classes.control} title={token.control}>{token.text}</span>
  }
  const names = styles(token)
  if (token.hit !== undefined) {
    return <mark className={[classes.hit, here ? classes.here : '', names].join(' ')}>{token.text}</mark>
  }
  return names ? <span className={names}>{token.text}</span> : token.text
}

const COLOURS: Record<string, string | undefined> = {
  red: classes.red, green: classes.green, yellow: classes.yellow, blue: classes.blue, magenta: classes.magenta,
  cyan: classes.cyan,
}
const GROUNDS: Record<string, string | undefined> = {
  red: classes.onRed, green: classes.onGreen, yellow: classes.onYellow, blue: classes.onBlue,
  magenta: classes.onMagenta, cyan: classes.onCyan, grey: classes.onGrey,
}

function styles(token: Marked): string {
  if (token.look === 0) return ''
  const look = shown(token.look)
  // A match has its own ground, on which only the text's own colour is sure to be readable.
  const plain = token.hit !== undefined || look.ground !== undefined
  return [
    look.ground && token.hit === undefined && GROUNDS[look.ground],
    !plain && (look.colour ? COLOURS[look.colour] : look.dim && classes.dim),
    look.bold && classes.bold, look.italic && classes.italic, look.underline && classes.underline,
    look.strike && classes.strike,
  ].filter(Boolean).join(' ')
}

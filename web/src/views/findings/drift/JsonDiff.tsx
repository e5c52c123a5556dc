import { Button, VisuallyHidden } from '@mantine/core'
import { useMemo, useState } from 'react'
import { foldLines, type JsonLine, type LineMark } from '../../../logic/jsonDiff'
import { Outside } from '../../../parts/Outside'
import classes from './drift.module.css'

interface JsonDiffProps {
  lines: JsonLine[]
  label: string
  /** Leaves out what is the same, until somebody asks for it. */
  fold?: boolean
}

/** Lines drawn at once: a page of more is slow, and nobody reads it. */
const MOST_LINES = 2_000

const SAID: Record<LineMark, string> = { same: '', changed: 'changed', gone: 'only declared', come: 'only there' }

/**
 * Two documents beside each other: what is declared on the left, what is there on the right. What
 * differs is coloured and has a sign. Where there is little room the sides stand under each other.
 */
export function JsonDiff({ lines, label, fold = false }: JsonDiffProps) {
  const [whole, showWhole] = useState(false)
  const shown = useMemo(() => (fold && !whole ? foldLines(lines) : lines).slice(0, MOST_LINES), [lines, fold, whole])
  const hidden = shown.some((line) => 'hidden' in line)
  return (
    <>
      <div className={classes.frame} role="region" aria-label={label} tabIndex={0}>
        <table className={classes.diff} aria-label={label}>
          <thead>
            <tr><th scope="col">Declared</th><th scope="col">There</th></tr>
          </thead>
          <tbody>
            {shown.map((line, at) => 'hidden' in line
              ? <tr key={at} className={classes.fold}><td colSpan={2}>⋯ {line.hidden} lines are the same</td></tr>
              : <Pair key={at} line={line} />)}
          </tbody>
        </table>
      </div>
      {(hidden || whole) && fold && (
        <Button mt="xs" size="compact-sm" variant="subtle" onClick={() => showWhole((now) => !now)}>
          {whole ? 'Show only what differs' : 'Show every line'}
        </Button>
      )}
      {lines.length > MOST_LINES && shown.length === MOST_LINES && (
        <p className={classes.note}>
          These are the first {MOST_LINES.toLocaleString('en')} lines of {lines.length.toLocaleString('en')}.
        </p>
      )}
    </>
  )
}

function Pair({ line: { mark, left, right } }: { line: JsonLine }) {
  return (
    <tr data-mark={mark}>
      <td data-side="left" data-empty={left === undefined || undefined}>
        <Side mark={mark} text={left} sign={mark === 'same' ? ' ' : '−'} />
      </td>
      <td data-side="right" data-empty={right === undefined || undefined}>
        <Side mark={mark} text={right} sign={mark === 'same' ? ' ' : '+'} />
      </td>
    </tr>
  )
}

function Side({ mark, text, sign }: { mark: LineMark; text: string | undefined; sign: string }) {
  if (text === undefined) return <VisuallyHidden>nothing</VisuallyHidden>
  return (
    <>
      <span className={classes.sign} aria-hidden>{sign}</span>
      {SAID[mark] && <VisuallyHidden>{SAID[mark]}: </VisuallyHidden>}
      <Outside>{text}</Outside>
    </>
  )
}

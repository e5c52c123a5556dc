import { Anchor, Group, Text, VisuallyHidden } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useMemo, useState } from 'react'
import { folded, lineDiff, sideBySide, type DiffLine, type DiffPiece } from '../../logic/lineDiff'
import { count } from '../../logic/words'
import { Outside } from '../../parts/Outside'
import classes from './diff.module.css'

interface LineDiffProps {
  before: string
  after: string
  /** What the two are called. */
  names: [string, string]
  /** One column also where there would be room for two. */
  narrow?: boolean
}

/** Two texts compared line by line: beside each other where there is room, else one below the other. */
export function LineDiff({ before, after, names, narrow }: LineDiffProps) {
  const wide = useMediaQuery('(min-width: 62em)') && !narrow
  const diff = useMemo(() => lineDiff(before, after), [before, after])
  const pieces = useMemo(() => folded(diff.lines), [diff])
  const [open, setOpen] = useState<ReadonlySet<DiffPiece>>(new Set())
  const unfold = (piece: DiffPiece) => setOpen((now) => new Set([...now, piece]))
  if (diff.gone === 0 && diff.come === 0) return <Text size="sm">They are the same, line by line.</Text>
  return (
    <div>
      <Group gap="sm" mb={4}>
        <Text size="sm">{count(diff.gone, 'line')} gone, {count(diff.come, 'line')} new</Text>
        {!diff.exact && <Text size="sm" className="faint">So much differs that the middle is shown as replaced.</Text>}
      </Group>
      <div className={classes.frame} tabIndex={0} role="region" aria-label={`${names[0]} compared with ${names[1]}`}>
        <table className={classes.table}>
          <caption><VisuallyHidden>{names[0]} compared with {names[1]}</VisuallyHidden></caption>
          {wide
            ? <Wide names={names} pieces={pieces} open={open} unfold={unfold} />
            : <Narrow names={names} pieces={pieces} open={open} unfold={unfold} />}
        </table>
      </div>
    </div>
  )
}

interface SidesProps {
  names: [string, string]
  pieces: DiffPiece[]
  open: ReadonlySet<DiffPiece>
  unfold: (piece: DiffPiece) => void
}

function Wide({ names, pieces, open, unfold }: SidesProps) {
  return (
    <>
      <thead>
        <tr>
          <th scope="col" className={classes.number}><VisuallyHidden>Line</VisuallyHidden></th>
          <th scope="col">{names[0]}</th>
          <th scope="col" className={classes.number}><VisuallyHidden>Line</VisuallyHidden></th>
          <th scope="col">{names[1]}</th>
        </tr>
      </thead>
      <tbody>
        {pieces.map((piece, at) => piece.folded && !open.has(piece)
          ? <Fold key={at} lines={piece.lines.length} span={4} onOpen={() => unfold(piece)} />
          : sideBySide(piece.lines).map(({ left, right }, row) => (
            <tr key={`${at}.${row}`}>
              <Side line={left} number={left?.before} kind="gone" />
              <Side line={right} number={right?.after} kind="come" />
            </tr>
          )))}
      </tbody>
    </>
  )
}

interface SideProps {
  line: DiffLine | undefined
  number: number | undefined
  kind: 'gone' | 'come'
}

function Side({ line, number, kind }: SideProps) {
  if (!line) return <><td className={classes.none} /><td className={classes.none} /></>
  const colour = line.kind === kind ? classes[kind] : ''
  return (
    <>
      <td className={`${classes.number} ${colour}`}>{number}</td>
      <td className={`${classes.text} ${colour}`}>
        <Said kind={line.kind === kind ? kind : 'same'} />
        <Content text={line.text} />
      </td>
    </>
  )
}

function Narrow({ names, pieces, open, unfold }: SidesProps) {
  return (
    <>
      <thead>
        <tr>
          <th scope="col" className={classes.number}><VisuallyHidden>Line in {names[0]}</VisuallyHidden></th>
          <th scope="col" className={classes.number}><VisuallyHidden>Line in {names[1]}</VisuallyHidden></th>
          <th scope="col">{names[0]} → {names[1]}</th>
        </tr>
      </thead>
      <tbody>
        {pieces.map((piece, at) => piece.folded && !open.has(piece)
          ? <Fold key={at} lines={piece.lines.length} span={3} onOpen={() => unfold(piece)} />
          : piece.lines.map((line, row) => {
            const colour = line.kind === 'same' ? '' : classes[line.kind]
            return (
              <tr key={`${at}.${row}`}>
                <td className={`${classes.number} ${colour}`}>{line.before}</td>
                <td className={`${classes.number} ${colour}`}>{line.after}</td>
                <td className={`${classes.text} ${colour}`}>
                  <Said kind={line.kind} />
                  <Content text={line.text} />
                </td>
              </tr>
            )
          }))}
      </tbody>
    </>
  )
}


const Content = ({ text }: { text: string }) => (text === '' ? null : <Outside>{text}</Outside>)

function Fold({ lines, span, onOpen }: { lines: number; span: number; onOpen: () => void }) {
  return (
    <tr className={classes.fold}>
      <td colSpan={span}>
        <Anchor component="button" type="button" size="xs" onClick={onOpen}>
          Show {count(lines, 'unchanged line')}
        </Anchor>
      </td>
    </tr>
  )
}

/** Which of the two it is: a sign for eyes, a word for ears. What is the same stays in line with it. */
function Said({ kind }: { kind: DiffLine['kind'] }) {
  if (kind === 'same') return <span aria-hidden>{'  '}</span>
  return (
    <>
      <VisuallyHidden>{kind === 'gone' ? 'gone: ' : 'new: '}</VisuallyHidden>
      <span aria-hidden>{kind === 'gone' ? '− ' : '+ '}</span>
    </>
  )
}

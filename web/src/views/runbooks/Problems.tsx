import { Anchor, Badge, Text } from '@mantine/core'
import { placeOf, type LintProblem } from '../../logic/lintPlace'
import { Outside } from '../../parts/Outside'
import classes from './editor.module.css'

interface ProblemsProps {
  problems: LintProblem[]
  /** The document they are about. */
  text: string
  onGo: (line: number, column: number) => void
}

/** What is wrong with a document, each with its place to go to. */
export function Problems({ problems, text, onGo }: ProblemsProps) {
  return (
    <ul className={classes.problems} aria-label="Problems of the document">
      {problems.map((problem, index) => {
        const place = placeOf(text, problem)
        return (
          <li key={index} className={classes.problem}>
            <Badge
              size="sm" variant="dot" color={problem.weight === 'error' ? 'red' : 'yellow'}
              c="var(--mantine-color-text)"
            >
              {problem.weight}
            </Badge>
            <Anchor component="button" type="button" size="sm" onClick={() => onGo(place.line, place.column)}>
              line {place.line}
            </Anchor>
            <Text size="sm" component="div" className={classes.told}>
              <Outside>{problem.message}</Outside>
              {problem.hint && <>; <Outside>{problem.hint}</Outside></>}
              {' '}<Text span size="xs" className="faint mono">{problem.code}</Text>
            </Text>
          </li>
        )
      })}
    </ul>
  )
}

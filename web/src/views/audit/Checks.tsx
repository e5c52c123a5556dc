import { Text } from '@mantine/core'
import { IconCheck, IconQuestionMark, IconX, type Icon } from '@tabler/icons-react'
import type { Check } from '../../logic/checkpointCheck'
import { hex } from '../../logic/bytes'
import type { Step } from '../../logic/merkle'
import { Disclose } from '../../parts/Disclose'
import { Outside } from '../../parts/Outside'
import classes from './Audit.module.css'

const SIGNS: Record<Check['verdict'], [Icon, string | undefined, string]> = {
  yes: [IconCheck, classes.yes, 'Holds'],
  no: [IconX, classes.no, 'Does not hold'],
  open: [IconQuestionMark, classes.open, 'Cannot be told here'],
}

/** Every step of a check with what was compared; the way to the root under its own. */
export function Checks({ checks, steps }: { checks: Check[]; steps?: Step[] | undefined }) {
  return (
    <ol className={classes.checks} aria-label="Steps of the check">
      {checks.map((check) => (
        <One key={check.name} check={check} steps={check.name === 'Way to the root' ? steps : undefined} />
      ))}
    </ol>
  )
}

function One({ check, steps }: { check: Check; steps: Step[] | undefined }) {
  const [Sign, colour, word] = SIGNS[check.verdict]
  return (
    <li className={classes.check} data-check={check.name} data-verdict={check.verdict}>
      <Sign size={20} className={colour} role="img" aria-label={word} />
      <div>
        <strong>{check.name}.</strong> {check.says}
        {check.numbers.length > 0 && (
          <dl className={classes.numbers}>
            {check.numbers.map(([name, value], at) => (
              <div key={at} style={{ display: 'contents' }}>
                <dt>{name}</dt>
                <dd><Outside mono>{value}</Outside></dd>
              </div>
            ))}
          </dl>
        )}
        {steps && steps.length > 0 && (
          <Disclose label={`The ${steps.length} hashes of the way`}>
            <ol className={classes.path}>
              {steps.map((step, at) => (
                <li key={at}>
                  <span className="mono">{hex(step.sibling)}</span> on the {step.side} makes{' '}
                  <span className="mono">{hex(step.hash)}</span>
                </li>
              ))}
            </ol>
            <Text size="xs" className="faint">
              Each is SHA-256 of a byte of value 1, the left hash and the right one.
            </Text>
          </Disclose>
        )}
      </div>
    </li>
  )
}

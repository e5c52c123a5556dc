import { Text } from '@mantine/core'
import { Fragment } from 'react'
import { number } from '../../logic/json'
import classes from './Risk.module.css'

/** One of several numbers that are compared. */
export interface Bar {
  name: string
  /** An exact decimal, shown as it is. */
  value: string
  about?: string
}

/** Numbers with bars, on one scale; what takes away is green and says so by its sign. */
export function Bars({ rows, label }: { rows: Bar[]; label: string }) {
  const sizes = rows.map((row) => Math.abs(number(row.value) ?? 0))
  const largest = Math.max(...sizes, Number.MIN_VALUE)
  return (
    <dl className={classes.bars} aria-label={label}>
      {rows.map(({ name, value, about }, index) => (
        <Fragment key={name}>
          <dt>{name}</dt>
          <dd>
            <span className="mono">{value}</span>
            {about && <Text component="span" size="xs" className="faint" ml={8}>{about}</Text>}
            <span className={classes.track} aria-hidden>
              <span
                className={classes.bar}
                data-down={(number(value) ?? 0) < 0 || undefined}
                style={{ width: `${((sizes[index] ?? 0) / largest) * 100}%` }}
              />
            </span>
          </dd>
        </Fragment>
      ))}
    </dl>
  )
}

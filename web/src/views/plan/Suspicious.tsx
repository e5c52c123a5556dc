import { Alert, List, Text } from '@mantine/core'
import { IconEyeExclamation } from '@tabler/icons-react'
import type { Schema } from '../../api/client'
import { Fold } from '../risk/Fold'

const TRICKS: Record<string, string> = {
  direction: 'turns its direction round',
  invisible: 'holds characters nobody sees',
  control: 'holds control characters',
  space: 'holds spaces that are none to a shell',
  unassigned: 'holds characters without a meaning',
  mixed_scripts: 'mixes letters of several scripts in a word',
  lookalike: 'has letters that look like others',
  marks: 'has marks that cover their neighbours',
}

const FEW = 3

/** Texts that are not what they seem: said before anybody reads the commands. */
export function Suspicious({ of }: { of: Schema<'Suspicious'>[] }) {
  if (of.length === 0) return null
  const title = of.length === 1 ? 'A text is not what it seems' : `${of.length} texts are not what they seem`
  const list = (some: Schema<'Suspicious'>[]) => (
    <List size="sm" spacing={4}>
      {some.map((one) => (
        <List.Item key={one.path}>
          {/* The server wrote what hides as numbers: this text holds nothing that hides. */}
          <span className="mono">{one.shown}</span>:{' '}
          {one.tricks.map((trick) => TRICKS[trick] ?? trick).join(', ')}{' '}
          <Text span size="xs" className="faint">
            ({one.code_points.join(' ')}; <span className="mono">{one.path}</span>)
          </Text>
        </List.Item>
      ))}
    </List>
  )
  return (
    <Alert color="red" variant="light" icon={<IconEyeExclamation size={20} />} role="alert" title={title}>
      {list(of.slice(0, FEW))}
      {of.length > FEW && <Fold title={`${of.length - FEW} more`}>{list(of.slice(FEW))}</Fold>}
    </Alert>
  )
}

import { Button, Group, Stack, Text } from '@mantine/core'
import { useState } from 'react'
import { plain } from './Month'
import type { Occurrence } from './Calendar'
import { Tone } from '../../parts/Tone'

/** Occurrences shown, those ahead first, before somebody asks for all. */
const FIRST = 8

/** The same as the calendar, in words: each occurrence with its times on the viewer's clocks. */
export function Agenda({ found, zone, now }: { found: Occurrence[]; zone: string; now: number }) {
  const [all, showAll] = useState(false)
  const moment = (at: number) =>
    new Date(at).toLocaleString('en-GB', {
      weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', timeZone: zone,
    })
  if (found.length === 0) return <Text size="sm" className="faint">No window is in these days.</Text>
  const ahead = found.filter((one) => one.end > now)
  const shown = all ? found : (ahead.length > 0 ? ahead : found).slice(0, FIRST)
  return (
    <Stack gap={4}>
      <Stack gap={4} component="ul" m={0} pl="md" aria-label="Windows in these days">
        {shown.map((one) => (
          <Text size="sm" component="li" key={`${one.id} ${one.start}`}>
            {moment(one.start)} to {moment(one.end)}:{' '}
            <Tone of={one.kind === 'deny' ? 'red' : 'teal'}>
              {one.kind === 'deny' ? 'blackout' : 'maintenance'}
            </Tone>{' '}
            <bdi>{plain(one.name)}</bdi>
            {one.zone !== zone && <span className="faint"> (kept on the clocks of {one.zone})</span>}
          </Text>
        ))}
      </Stack>
      {found.length > shown.length && (
        <Group>
          <Button size="compact-sm" variant="subtle" onClick={() => showAll(true)}>All {found.length}</Button>
        </Group>
      )}
    </Stack>
  )
}

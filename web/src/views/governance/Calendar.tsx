import { ActionIcon, Group, SegmentedControl, Stack, Text, Title } from '@mantine/core'
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react'
import { useMemo } from 'react'
import type { Schema } from '../../api/client'
import { useSearch } from '../../app/search'
import {
  DAY, boundsOf, dayOf, monthOf, monthsOn, occurrences, ruleOf, wallAt, wallOf, weekOf, type Span, type Wall,
} from '../../logic/calendar'
import { MayButton } from '../../parts/Sure'
import { useNow } from '../../parts/When'
import { Agenda } from './Agenda'
import { Month } from './Month'
import { Week } from './Week'

/** An occurrence of a window. */
export interface Occurrence extends Span {
  id: string
  name: string
  kind: string
  zone: string
}

const NAMED = new Intl.DateTimeFormat('en', { month: 'long', year: 'numeric', timeZone: 'UTC' })
const DATED = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' })

const iso = (day: Wall) => new Date(day).toISOString().slice(0, 10)

/** Windows that count, over a month or a week of the viewer's days. */
export function Calendar({ windows, zone }: { windows: Schema<'WindowOut'>[]; zone: string }) {
  const [search, set] = useSearch()
  const now = useNow()
  const today = dayOf(wallAt(zone, now))
  const view = search.view === 'week' ? 'week' : 'month'
  const asked = search.day === undefined ? undefined : wallOf(search.day)
  const day = asked === undefined ? today : dayOf(asked)
  const weeks = useMemo(() => (view === 'week' ? [weekOf(day)] : monthOf(day)), [view, day])
  const [first = day, last = day] = [weeks[0]?.[0], weeks.at(-1)?.at(-1)]
  const found = useMemo(() => {
    const bounds = { start: boundsOf(zone, first).start, end: boundsOf(zone, last).end }
    return windows.filter((window) => window.enabled).flatMap((window): Occurrence[] => {
      const rule = ruleOf(window)
      const { id, name, kind, timezone } = window
      const spans = rule ? occurrences(rule, bounds.start, bounds.end) : []
      return spans.map((span) => ({ ...span, id, name, kind, zone: timezone }))
    }).sort((a, b) => a.start - b.start)
  }, [windows, zone, first, last])
  const go = (by: number) => set({ day: iso(view === 'week' ? day + by * 7 * DAY : monthsOn(day, by)) })
  const title = view === 'week' ? `${DATED.format(first)} to ${DATED.format(last)}` : NAMED.format(day)

  return (
    <Stack gap="xs">
      <Group justify="space-between" gap="xs">
        <Group gap="xs">
          <ActionIcon variant="default" size="lg" aria-label={`The ${view} before`} onClick={() => go(-1)}>
            <IconChevronLeft size={18} />
          </ActionIcon>
          <ActionIcon variant="default" size="lg" aria-label={`The ${view} after`} onClick={() => go(1)}>
            <IconChevronRight size={18} />
          </ActionIcon>
          <MayButton size="compact-sm" onClick={() => set({ day: undefined })}>Today</MayButton>
          <Title order={2} aria-live="polite">{title}</Title>
        </Group>
        <SegmentedControl
          aria-label="How much at once" value={view}
          onChange={(next) => set({ view: next === 'week' ? next : undefined })}
          data={[{ value: 'month', label: 'Month' }, { value: 'week', label: 'Week' }]}
        />
      </Group>
      <Text size="sm" className="faint">
        Shown on your clocks, {zone}. A red mark denies starts, a teal one allows them.
      </Text>
      {view === 'week'
        ? <Week days={weeks[0] ?? []} found={found} zone={zone} now={now} today={today} />
        : <Month weeks={weeks} month={day} found={found} zone={zone} today={today} />}
      <Agenda found={found} zone={zone} now={now} />
    </Stack>
  )
}

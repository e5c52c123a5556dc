import { Button, Popover, Radio, Stack, TextInput } from '@mantine/core'
import { IconChevronDown } from '@tabler/icons-react'
import { useState } from 'react'
import { fromField, PERIODS, toField, type Search } from '../../logic/findingFilters'

interface TimeChoiceProps {
  search: Search
  set: (change: Search) => void
}

const moment = (iso: string) => new Date(iso).toLocaleString(undefined, { dateStyle: 'short', timeStyle: 'short' })

/** When findings came up, or were seen last: a span that ends now, or from when to when. */
export function TimeChoice({ search, set }: TimeChoiceProps) {
  const [opened, setOpened] = useState(false)
  const given = search.from ?? search.before
  const last = search.by === 'last_seen'
  const span = [search.from && `from ${moment(search.from)}`, search.before && `before ${moment(search.before)}`]
  const said = given ? span.filter(Boolean).join(' ') : PERIODS[search.since ?? '']
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-start" trapFocus returnFocus withinPortal>
      <Popover.Target>
        <Button
          variant={said ? 'light' : 'default'} size="sm" maw={320}
          rightSection={<IconChevronDown size={14} aria-hidden />}
          onClick={() => setOpened((now) => !now)}
        >
          {said ? `${last ? 'Last seen' : 'First seen'}: ${said}` : 'Time'}
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label="Time" maw="min(22rem, 92vw)">
        <Stack gap="sm">
          <Radio.Group
            label="Which time" value={last ? 'last_seen' : 'first_seen'}
            onChange={(by) => set({ by: by === 'last_seen' ? by : undefined })}
          >
            <Stack gap={6} mt={6}>
              <Radio value="first_seen" label="when it came up" />
              <Radio value="last_seen" label="when it was seen last" />
            </Stack>
          </Radio.Group>
          <Radio.Group
            label="Span" value={given ? '' : (search.since ?? 'any')}
            onChange={(word) => set({ since: word === 'any' ? undefined : word, from: undefined, before: undefined })}
          >
            <Stack gap={6} mt={6}>
              <Radio value="any" label="any time" />
              {Object.entries(PERIODS).map(([word, label]) => <Radio key={word} value={word} label={label} />)}
            </Stack>
          </Radio.Group>
          <TextInput
            type="datetime-local" label="From" value={toField(search.from)}
            onChange={(event) => set({ from: fromField(event.currentTarget.value), since: undefined })}
          />
          <TextInput
            type="datetime-local" label="Before" value={toField(search.before)}
            onChange={(event) => set({ before: fromField(event.currentTarget.value), since: undefined })}
          />
        </Stack>
      </Popover.Dropdown>
    </Popover>
  )
}

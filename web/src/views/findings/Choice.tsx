import { Button, Checkbox, Popover, ScrollArea, Stack } from '@mantine/core'
import { IconChevronDown } from '@tabler/icons-react'
import { useState } from 'react'

/** Something that can be chosen. */
export interface Option {
  value: string
  label: string
}

interface ChoiceProps {
  label: string
  options: Option[]
  value: string[]
  onChange: (value: string[]) => void
}

/** A filter that takes any of several words: a button that says what is chosen, and boxes to tick. */
export function Choice({ label, options, value, onChange }: ChoiceProps) {
  const [opened, setOpened] = useState(false)
  const known = new Map(options.map((option) => [option.value, option.label]))
  const said = value.map((one) => known.get(one) ?? one)
  // What a shared link asks for and nobody knows can still be seen, and taken out.
  const all = [...options, ...value.filter((one) => !known.has(one)).map((one) => ({ value: one, label: one }))]
  const shown = said.length > 2 ? `${said.length} chosen` : said.join(', ')
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-start" trapFocus returnFocus withinPortal>
      <Popover.Target>
        <Button
          variant={value.length > 0 ? 'light' : 'default'} size="sm" maw={260}
          rightSection={<IconChevronDown size={14} aria-hidden />}
          onClick={() => setOpened((now) => !now)}
        >
          {value.length > 0 ? `${label}: ${shown}` : label}
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label={label}>
        <Checkbox.Group label={label} value={value} onChange={onChange}>
          <ScrollArea.Autosize mah={320} mt="xs" type="auto">
            <Stack gap={8} pr="md" py={2} pl={2}>
              {all.map((option) => <Checkbox key={option.value} value={option.value} label={option.label} />)}
            </Stack>
          </ScrollArea.Autosize>
        </Checkbox.Group>
        <Button mt="sm" size="compact-sm" variant="subtle" disabled={value.length === 0} onClick={() => onChange([])}>
          Any
        </Button>
      </Popover.Dropdown>
    </Popover>
  )
}

import {
  Checkbox, Group, MultiSelect, NativeSelect, NumberInput, PasswordInput, Switch, TagsInput, Textarea, TextInput,
} from '@mantine/core'
import type { Draft, Field, Option } from '../logic/fields'
import { ThingSelect } from './ThingSelect'

interface FieldInputProps {
  field: Field
  value: Draft[string]
  set: (value: Draft[string]) => void
  error?: string | undefined
  /** It was said once and stays. */
  locked?: boolean
}

const HINT: Partial<Record<Field['kind'], string>> = {
  pairs: 'A line each: key = value.',
  map: 'A line each: key = one, two.',
  list: 'Enter after each.',
  numbers: 'Enter after each.',
}

/** Choices up to this many stand there to be ticked; more are picked from a list. */
const TICKED = 8

/** How one field of a plain object is asked for, by its kind. */
export function FieldInput(props: FieldInputProps) {
  const { field, value, error, locked } = props
  const hint = [field.help, HINT[field.kind]].filter(Boolean).join(' ')
  const common = {
    label: field.label, description: hint || undefined, error, required: field.required, disabled: locked,
    placeholder: field.placeholder,
  }
  if (typeof value === 'boolean') return <OnOff {...props} hint={hint} />
  if (Array.isArray(value)) return <Several {...props} value={value} common={common} />
  return <One {...props} value={value} common={common} />
}

/** What can be chosen: nothing too, where nothing is needed or was said; and what is there, whatever it is. */
function choices({ options = [], required }: Field, value: string): Option[] {
  const known = options.some((option) => option.value === value)
  const none = required && known ? [] : [{ value: '', label: '–' }]
  return [...none, ...(known || value === '' ? [] : [{ value, label: value }]), ...options]
}

interface Common {
  label: string
  description: string | undefined
  error: string | undefined
  required: boolean | undefined
  disabled: boolean | undefined
  placeholder: string | undefined
}

function OnOff({ field, value, set, error, locked, hint }: FieldInputProps & { hint: string }) {
  return (
    <Switch
      label={field.label} description={hint || undefined} checked={value === true} error={error} disabled={locked}
      onChange={(event) => set(event.currentTarget.checked)}
    />
  )
}

function Several({ field, value, set, common }: FieldInputProps & { value: string[]; common: Common }) {
  if (field.kind !== 'choices') {
    return <TagsInput {...common} value={value} onChange={set} splitChars={[',', ' ']} data={field.options} />
  }
  const options = field.options ?? []
  if (options.length > TICKED) {
    return <MultiSelect {...common} value={value} onChange={set} data={options} searchable hidePickedOptions />
  }
  const { placeholder: _, disabled, ...group } = common
  return (
    <Checkbox.Group {...group} value={value} onChange={set}>
      <Group gap="md" mt={4}>
        {options.map((option) => (
          <Checkbox key={option.value} value={option.value} label={option.label} disabled={disabled} />
        ))}
      </Group>
    </Checkbox.Group>
  )
}

function One({ field, value, set, common }: FieldInputProps & { value: string; common: Common }) {
  switch (field.kind) {
    case 'choice':
      return (
        <NativeSelect
          {...common} value={value} onChange={(event) => set(event.currentTarget.value)}
          data={choices(field, value)}
        />
      )
    case 'number':
      return (
        <NumberInput
          {...common} value={value === '' ? '' : Number(value)} onChange={(next) => set(String(next))}
          allowDecimal={false} min={field.min} max={field.max} clampBehavior="none"
        />
      )
    case 'secret':
      return (
        <PasswordInput
          {...common} value={value} onChange={(event) => set(event.currentTarget.value)} autoComplete="new-password"
        />
      )
    case 'long': case 'pairs': case 'map': case 'json': case 'code':
      return (
        <Textarea
          {...common} value={value} onChange={(event) => set(event.currentTarget.value)} autosize minRows={2}
          maxRows={14} autoComplete="off" spellCheck={field.kind === 'long'}
          classNames={field.kind === 'long' ? undefined : { input: 'mono' }}
        />
      )
    case 'thing':
      return <ThingSelect {...common} kind={field.of ?? ''} fixed={field.options} value={value} onChange={set} />
    default: {
      const type = field.kind === 'clock' || field.kind === 'moment' ? 'datetime-local' : 'text'
      return (
        <TextInput
          {...common} type={type} value={value} autoComplete="off"
          onChange={(event) => set(event.currentTarget.value)}
        />
      )
    }
  }
}

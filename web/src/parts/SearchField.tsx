import { TextInput, type TextInputProps } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { IconSearch } from '@tabler/icons-react'
import { useEffect, useRef, useState } from 'react'

const SEARCH_MS = 250
/** The longest text the server searches for, in characters. */
const LONGEST = 200

interface SearchFieldProps extends Pick<TextInputProps, 'label' | 'placeholder' | 'className' | 'aria-label'> {
  /** What is searched for, as the URL has it. */
  text: string
  set: (text: string | undefined) => void
}

/** What a list is searched for; asked for when the typing pauses. */
export function SearchField({ text, set, ...rest }: SearchFieldProps) {
  const [typed, setTyped] = useState(text)
  const sent = useRef(text)
  const send = useDebouncedCallback((words: string) => {
    sent.current = words
    set(words || undefined)
  }, SEARCH_MS)
  useEffect(() => {
    // Somebody else changed the URL: a kept filter, going back, the button that clears.
    if (text === sent.current) return
    sent.current = text
    setTyped(text)
  }, [text])
  return (
    <TextInput
      {...rest} type="search" leftSection={<IconSearch size={16} aria-hidden />} maxLength={LONGEST} value={typed}
      onChange={(event) => {
        setTyped(event.currentTarget.value)
        send(event.currentTarget.value.trim())
      }}
    />
  )
}

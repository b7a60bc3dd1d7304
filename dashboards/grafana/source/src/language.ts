/** A text in both languages, European Portuguese first. */
export type Text = readonly [pt: string, en: string];

export type Language = 'pt' | 'en';

/** Chooses the text of one language. */
export type Say = (text: Text) => string;

export const speaker = (language: Language): Say => (text) => text[language === 'pt' ? 0 : 1];
